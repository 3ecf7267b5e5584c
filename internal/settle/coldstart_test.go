package settle_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A nameServer knows the addresses of one name, as that of an orchestrator does: each a
// while after its member was started, whether or not that is ready.
type nameServer struct {
	mu    sync.Mutex // guards known
	known map[netip.Addr]time.Time
}

func (s *nameServer) add(ip netip.Addr, from time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[ip] = from
}

func (s *nameServer) look(host string) (ips []netip.Addr, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ip, from := range s.known {
		if !time.Now().Before(from) {
			ips = append(ips, ip)
		}
	}
	if len(ips) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return ips, nil
}

// namedHost asks that name server.
type namedHost struct {
	*memnet.Host
	names *nameServer
}

func (h namedHost) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return h.names.look(host)
}

// TestColdStartByName starts twenty members at once, none of which is there before, by a
// name that has no address at first, and gets them one by one: they become one mesh, and
// what any of them writes then, all of them read.
func TestColdStartByName(t *testing.T) {
	for name, x := range map[string]struct{ empty, apart, starts time.Duration }{
		"at once":                         {},
		"empty for a while":               {empty: 3 * time.Second, apart: 500 * time.Millisecond, starts: 2 * time.Second},
		"empty for longer than is waited": {empty: 12 * time.Second, apart: 2 * time.Second, starts: 3 * time.Second},
		"one by one":                      {apart: 10 * time.Second, starts: 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { coldStart(t, x.empty, x.apart, x.starts) }) })
	}
}

func coldStart(t *testing.T, empty, apart, starts time.Duration) {
	members := 20
	if kit.Race {
		members = 8
	}
	rng := rand.New(rand.NewPCG(1, 2))
	names := &nameServer{known: make(map[netip.Addr]time.Time)}
	m := &kit.Mesh{T: t, Net: memnet.New(1)}
	defer m.Close()
	began := time.Now()
	within := func(d time.Duration) time.Duration {
		if d == 0 {
			return 0
		}
		return time.Duration(rng.Int64N(int64(d)))
	}
	var all sync.WaitGroup
	errs := make(chan error, members)
	for i := range members {
		node := m.NewNode(i, func(i int, o *cachemesh.Options) {
			h := m.Net.Host(kit.Host(i))
			o.Network, o.BootstrapNodes = namedHost{h, names}, []string{"mesh.internal:3000"}
		})
		m.Nodes = append(m.Nodes, node)
		start := within(starts)
		names.add(m.Net.Host(kit.Host(i)).IP(), began.Add(max(empty, start)+within(apart)))
		all.Go(func() {
			time.Sleep(start)
			errs <- node.Start()
		})
	}
	groups := kit.GroupOn(m, "g", cachemesh.LoaderFunc[string](nil), cachemesh.GroupOptions[string]{})
	all.Wait()
	started := time.Since(began)
	close(errs)
	for err := range errs {
		kit.Must(t, err)
	}
	for end := time.Now().Add(time.Minute); !one(m.Nodes); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			for _, n := range m.Nodes {
				t.Logf("%s %s %d members", n.Name(), n.Stats().Mode, len(n.Members()))
			}
			t.Fatal("they have not become one mesh")
		}
	}
	t.Logf("all started after %v, one mesh after %v", started, time.Since(began))
	ctx := kit.Context(t)
	for i, g := range groups {
		key := fmt.Sprint("key", i)
		kit.Must(t, g.Set(ctx, key, "v", 0))
		for _, other := range groups {
			kit.MustGet(t, other, key, "v")
		}
	}
}

// one reports whether all nodes are of the majority of one mesh.
func one(nodes []*cachemesh.Node) bool {
	for _, n := range nodes {
		if s := n.Stats(); s.Mode != "majority" || s.Primary != nodes[0].Stats().Primary || len(n.Members()) != len(nodes) {
			return false
		}
	}
	return true
}
