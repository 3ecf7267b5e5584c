package cachemesh_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/memnet"
)

// namedMesh starts members of a mesh on some hosts of a network.
func namedMesh(t *testing.T, network *memnet.Network, name string, edit edit, hosts ...int) *mesh {
	m := &mesh{t: t, net: network}
	t.Cleanup(m.close)
	for _, h := range hosts {
		m.nodes = append(m.nodes, m.newNode(h, func(_ int, o *cachemesh.Options) {
			o.Mesh, o.Name = name, name+o.Name
			edit(h, o)
		}))
	}
	m.start()
	m.settle(len(hosts))
	return m
}

// TestRecycledAddress: an address passes from a member of one service to a member
// of another. The services stay apart, and neither answers for the other.
func TestRecycledAddress(t *testing.T) {
	for _, secret := range [][]byte{nil, secretA} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			network, log := memnet.New(1), new(record)
			edit := func(_ int, o *cachemesh.Options) { o.Secret, o.Logger = secret, log.logger() }
			orders := namedMesh(t, network, "orders", edit, 0, 1)
			users := namedMesh(t, network, "users", edit, 2)
			key := orders.keyOf("g", 1)
			load := func(mesh string) cachemesh.LoaderFunc[string] {
				return func(context.Context, string) (string, error) { return "of " + mesh, nil }
			}
			ofOrders := groupOn(orders, "g", load("orders"), cachemesh.GroupOptions[string]{})
			mustGet(t, ofOrders[0], key, "of orders")
			time.Sleep(5 * time.Second) // of gossip
			for _, n := range orders.nodes {
				if n.Stats().Refused["mesh"] != 0 || n.Stats().GossipPacketsIn == 0 {
					t.Errorf("%v refuses gossip of its own mesh: %+v", n, n.Stats())
				}
			}

			// node1 of orders dies, and a member of users gets its address at once.
			network.Kill(hostName(1))
			orders.nodes[1].Close()
			orders.nodes[1] = nil
			next := users.newNode(1, func(i int, o *cachemesh.Options) { o.Mesh, o.Name = "users", "usersnode1"; edit(i, o) })
			users.nodes = append(users.nodes, next)
			must(t, next.Start())
			groupOn(users, "g", load("users"), cachemesh.GroupOptions[string]{})
			mustGet(t, ofOrders[0], key, "of orders")
			users.settle(2)
			orders.settle(1)
			time.Sleep(time.Minute) // gossip goes on looking for the dead
			users.settle(2)
			orders.settle(1)
			must(t, ofOrders[0].Delete(ctx, key))
			mustGet(t, ofOrders[0], key, "of orders")

			refused := next.Stats().Refused["mesh"]
			if refused == 0 {
				t.Errorf("refusals are not counted: %v", next.Stats().Refused)
			}
			if n := log.count("member=usersnode1", "refused a peer connection", `\"orders\"`); n < 1 || n > 2 {
				t.Errorf("%d refusals were logged in a minute %d times, want once or twice:\n%s", refused, n, log)
			}
		})
	}
}

// TestPacketsOfAnotherMesh are dropped, counted and said.
func TestPacketsOfAnotherMesh(t *testing.T) {
	for _, names := range [][2]string{{"a", "b"}, {"", "b"}, {"a", ""}} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			network, log := memnet.New(1), new(record)
			own := namedMesh(t, network, names[0], func(_ int, o *cachemesh.Options) { o.Logger = log.logger() }, 0)
			other, err := network.Host("host9").ListenPacket(ctx, ":3000")
			must(t, err)
			defer other.Close()
			packet := "\x00\x01garbage"
			if names[1] != "" {
				packet = "\xf4" + string(rune(len(names[1]))) + names[1] + packet
			}
			to, err := net.ResolveUDPAddr("udp", own.nodes[0].Addr())
			must(t, err)
			for range 5 {
				_, err := other.WriteTo([]byte(packet), to)
				must(t, err)
			}
			time.Sleep(time.Second)
			if n := own.nodes[0].Stats().Refused["mesh"]; n != 5 {
				t.Errorf("%q: %d packets counted, want 5", names, n)
			}
			if n := log.count("another mesh", "10.0."); n != 1 {
				t.Errorf("%q: logged %d times, want once:\n%s", names, n, log)
			}
		})
	}
}

// TestSeedOfAnotherMesh refuses, and Start says why.
func TestSeedOfAnotherMesh(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1, func(_ int, o *cachemesh.Options) { o.Mesh = "orders" })
		n := m.newNode(1, func(_ int, o *cachemesh.Options) { o.Mesh, o.JoinTimeout = "users", time.Second })
		defer n.Close()
		err := n.Start()
		if !errors.Is(err, cachemesh.ErrJoin) || !strings.Contains(err.Error(), m.nodes[0].Addr()) || !strings.Contains(err.Error(), "Options.Mesh") {
			t.Errorf("Start: %v, want ErrJoin naming %s and Options.Mesh", err, m.nodes[0].Addr())
		}
	})
}
