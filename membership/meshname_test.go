package membership_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// namedMesh starts members of a mesh on some hosts of a network.
func namedMesh(t *testing.T, network *memnet.Network, name string, edit kit.Edit, hosts ...int) *kit.Mesh {
	m := &kit.Mesh{T: t, Net: network}
	t.Cleanup(m.Close)
	for _, h := range hosts {
		m.Nodes = append(m.Nodes, m.NewNode(h, func(_ int, o *cachemesh.Options) {
			o.Mesh, o.Name = name, name+o.Name
			edit(h, o)
		}))
	}
	m.Start()
	m.Settle(len(hosts))
	return m
}

// TestRecycledAddress: an address passes from a member of one service to a member
// of another. The services stay apart, and neither answers for the other.
func TestRecycledAddress(t *testing.T) {
	for _, secret := range [][]byte{nil, kit.SecretA} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			network, log := memnet.New(1), new(kit.Log)
			edit := func(_ int, o *cachemesh.Options) { o.Secret, o.Logger = secret, log.Logger() }
			orders := namedMesh(t, network, "orders", edit, 0, 1)
			users := namedMesh(t, network, "users", edit, 2)
			key := orders.KeyOf("g", 1)
			load := func(mesh string) cachemesh.LoaderFunc[string] {
				return func(context.Context, string) (string, error) { return "of " + mesh, nil }
			}
			ofOrders := kit.GroupOn(orders, "g", load("orders"), cachemesh.GroupOptions[string]{})
			kit.MustGet(t, ofOrders[0], key, "of orders")
			time.Sleep(5 * time.Second) // of gossip
			for _, n := range orders.Nodes {
				if n.Stats().Refused["mesh"] != 0 || n.Stats().GossipPacketsIn == 0 {
					t.Errorf("%v refuses gossip of its own mesh: %+v", n, n.Stats())
				}
			}

			// node1 of orders dies, and a member of users gets its address at once.
			network.Kill(kit.Host(1))
			orders.Nodes[1].Close()
			orders.Nodes[1] = nil
			next := users.NewNode(1, func(i int, o *cachemesh.Options) { o.Mesh, o.Name = "users", "usersnode1"; edit(i, o) })
			users.Nodes = append(users.Nodes, next)
			kit.Must(t, next.Start())
			kit.GroupOn(users, "g", load("users"), cachemesh.GroupOptions[string]{})
			kit.MustGet(t, ofOrders[0], key, "of orders")
			users.Settle(2)
			orders.Settle(1)
			time.Sleep(time.Minute) // gossip goes on looking for the dead
			users.Settle(2)
			orders.Settle(1)
			kit.Must(t, ofOrders[0].Delete(ctx, key))
			kit.MustGet(t, ofOrders[0], key, "of orders")

			refused := next.Stats().Refused["mesh"]
			if refused == 0 {
				t.Errorf("refusals are not counted: %v", next.Stats().Refused)
			}
			if n := log.Count("member=usersnode1", "refused a peer connection", `\"orders\"`); n < 1 || n > 2 {
				t.Errorf("%d refusals were logged in a minute %d times, want once or twice:\n%s", refused, n, log)
			}
		})
	}
}

// TestPacketsOfAnotherMesh are dropped, counted and said.
func TestPacketsOfAnotherMesh(t *testing.T) {
	for _, names := range [][2]string{{"a", "b"}, {"", "b"}, {"a", ""}} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			network, log := memnet.New(1), new(kit.Log)
			own := namedMesh(t, network, names[0], func(_ int, o *cachemesh.Options) { o.Logger = log.Logger() }, 0)
			other, err := network.Host("host9").ListenPacket(ctx, ":3000")
			kit.Must(t, err)
			defer other.Close()
			packet := "\x00\x01garbage"
			if names[1] != "" {
				packet = "\xf4" + string(rune(len(names[1]))) + names[1] + packet
			}
			to, err := net.ResolveUDPAddr("udp", own.Nodes[0].Addr())
			kit.Must(t, err)
			for range 5 {
				_, err := other.WriteTo([]byte(packet), to)
				kit.Must(t, err)
			}
			time.Sleep(time.Second)
			if n := own.Nodes[0].Stats().Refused["mesh"]; n != 5 {
				t.Errorf("%q: %d packets counted, want 5", names, n)
			}
			if n := log.Count("another mesh", "10.0."); n != 1 {
				t.Errorf("%q: logged %d times, want once:\n%s", names, n, log)
			}
		})
	}
}

// TestSeedOfAnotherMesh refuses, and Start says why.
func TestSeedOfAnotherMesh(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.Mesh = "orders" })
		n := m.NewNode(1, func(_ int, o *cachemesh.Options) { o.Mesh, o.JoinTimeout = "users", time.Second })
		defer n.Close()
		err := n.Start()
		if !errors.Is(err, cachemesh.ErrJoin) || !strings.Contains(err.Error(), m.Nodes[0].Addr()) || !strings.Contains(err.Error(), "Options.Mesh") {
			t.Errorf("Start: %v, want ErrJoin naming %s and Options.Mesh", err, m.Nodes[0].Addr())
		}
	})
}
