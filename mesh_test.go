package cachemesh_test

import (
	"context"
	"net"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// patience bounds waits that end much sooner unless something is broken.
const patience = 20 * time.Second

// A mesh is a few started nodes, on a network in memory unless real is set.
type mesh struct {
	t     testing.TB
	net   *memnet.Network
	nodes []*cachemesh.Node
}

type edit func(i int, o *cachemesh.Options)

// newMesh starts n nodes on a network in memory, settled when it returns and
// closed when the test ends.
func newMesh(t testing.TB, n int, edits ...edit) *mesh {
	m := &mesh{t: t, net: memnet.New(1)}
	m.grow(n, edits...)
	return m
}

// newRealMesh is newMesh on the loopback interface.
func newRealMesh(t testing.TB, n int, edits ...edit) *mesh {
	m := &mesh{t: t}
	m.grow(n, edits...)
	return m
}

func (m *mesh) grow(n int, edits ...edit) {
	m.t.Helper()
	m.t.Cleanup(m.close)
	for i := range n {
		m.nodes = append(m.nodes, m.newNode(i, edits...))
	}
	m.start()
	m.settle(n)
}

func hostName(i int) string { return "host" + strconv.Itoa(i) }

func (m *mesh) options(i int, edits ...edit) cachemesh.Options {
	o := cachemesh.Options{Name: "node" + strconv.Itoa(i)}
	if m.net != nil {
		host := m.net.Host(hostName(i))
		o.Network = host
		o.ListenAddr = net.JoinHostPort(host.IP().String(), "3000")
	}
	if len(m.nodes) > 0 {
		o.BootstrapNodes = []string{m.nodes[0].Addr()}
	}
	for _, e := range edits {
		e(i, &o)
	}
	return o
}

func (m *mesh) newNode(i int, edits ...edit) *cachemesh.Node {
	m.t.Helper()
	node, err := cachemesh.New(m.options(i, edits...))
	if err != nil {
		m.t.Fatal(err)
	}
	return node
}

// start starts all nodes that were made, side by side.
func (m *mesh) start() {
	m.t.Helper()
	var all sync.WaitGroup
	errs := make([]error, len(m.nodes))
	for i, n := range m.nodes {
		all.Go(func() { errs[i] = n.Start() })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			m.t.Fatalf("node%d: %v", i, err)
		}
	}
}

// settle waits until every live node agrees that there are this many.
func (m *mesh) settle(members int) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i, n := range m.nodes {
		if n == nil {
			continue
		}
		if err := cachemesh.AwaitSettled(ctx, n, members); err != nil {
			m.t.Fatalf("node%d has not settled with %d members: %v; it sees %v", i, members, err, n.Members())
		}
	}
}

// kill crashes a node.
func (m *mesh) kill(i int) {
	if m.net != nil {
		m.net.Kill(hostName(i))
	}
	m.nodes[i].Close()
	m.nodes[i] = nil
}

func (m *mesh) close() {
	for _, n := range m.nodes {
		if n != nil {
			n.Close()
		}
	}
	m.nodes = nil
}

// groupOn registers a group on every node.
func groupOn[V any](m *mesh, name string, load cachemesh.LoaderFunc[V], o cachemesh.GroupOptions[V]) []*cachemesh.Group[V] {
	m.t.Helper()
	groups := make([]*cachemesh.Group[V], len(m.nodes))
	for i, n := range m.nodes {
		g, err := cachemesh.NewGroup(n, name, load, o)
		if err != nil {
			m.t.Fatal(err)
		}
		groups[i] = g
	}
	return groups
}

// groupOnEach is groupOn with a loader for each node.
func groupOnEach[V any](m *mesh, name string, load func(node int) cachemesh.LoaderFunc[V], o cachemesh.GroupOptions[V]) []*cachemesh.Group[V] {
	m.t.Helper()
	groups := make([]*cachemesh.Group[V], len(m.nodes))
	for i, n := range m.nodes {
		var err error
		if groups[i], err = cachemesh.NewGroup(n, name, load(i), o); err != nil {
			m.t.Fatal(err)
		}
	}
	return groups
}

// owner returns the index of the node that owns a key.
func (m *mesh) owner(group, key string) int {
	m.t.Helper()
	for _, n := range m.nodes {
		if n == nil {
			continue
		}
		addr := cachemesh.OwnerAddr(n, group, key)
		for i, o := range m.nodes {
			if o != nil && o.Addr() == addr {
				return i
			}
		}
		m.t.Fatalf("nobody owns %q", key)
	}
	return -1
}

// keyOf returns a key that a node owns.
func (m *mesh) keyOf(group string, node int) string { return m.keysOf(group, node, 1)[0] }

// keysOf returns keys that a node owns.
func (m *mesh) keysOf(group string, node, n int) []string {
	var keys []string
	for i := 0; len(keys) < n; i++ {
		if key := "key" + strconv.Itoa(i); m.owner(group, key) == node {
			keys = append(keys, key)
		}
	}
	return keys
}

// bubble runs f in a synctest bubble.
func bubble(t *testing.T, f func(t *testing.T, ctx context.Context)) {
	synctest.Test(t, func(t *testing.T) {
		// The clock of a bubble stops with the test, and memberlist's goroutines end
		// only as their timers fire.
		t.Cleanup(func() { time.Sleep(time.Minute) })
		f(t, testContext(t))
	})
}

// testContext ends with the test, or an hour after it began.
func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// echoLoader loads a value that names its key.
func echoLoader(_ context.Context, key string) (string, error) { return "value of " + key, nil }

func mustGet[V comparable](t testing.TB, g *cachemesh.Group[V], key string, want V) {
	t.Helper()
	if got, err := g.Get(testContext(t), key); err != nil || got != want {
		t.Fatalf("Get(%.40q) = %v, %v, want %v", key, got, err, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A tapped network passes every call to a peer through tap.
type tapped struct {
	cachemesh.Network
	tap func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error
}

func (n tapped) Faults() faultinject.Faults { return faultinject.Faults{} }

func (n tapped) WrapPeer(addr string, next seam.Caller) seam.Caller {
	return tap(func(ctx context.Context, req *httppool.Request, resp *httppool.Response) error {
		return n.tap(ctx, addr, req, resp, next)
	})
}

type tap func(ctx context.Context, req *httppool.Request, resp *httppool.Response) error

func (f tap) Call(ctx context.Context, req *httppool.Request, resp *httppool.Response) error {
	return f(ctx, req, resp)
}
