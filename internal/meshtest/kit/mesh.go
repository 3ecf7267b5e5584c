package kit

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/meshtest/members"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// Patience bounds waits that end much sooner unless something is broken.
const Patience = 20 * time.Second

// A Mesh is a few nodes, "node0" and so on. Its methods are called from the test's
// goroutine, and end the test if they fail.
type Mesh struct {
	T     testing.TB
	Net   *memnet.Network   // nil on the loopback interface
	Nodes []*cachemesh.Node // nil where one was killed; tests add nodes of their own
}

// An Edit changes the options of node i.
type Edit func(i int, o *cachemesh.Options)

// New starts n nodes on a network in memory, settled when it returns and
// closed when the test ends.
func New(t testing.TB, n int, edits ...Edit) *Mesh {
	m := &Mesh{T: t, Net: memnet.New(1)}
	m.Grow(n, edits...)
	return m
}

// NewReal is New on the loopback interface.
func NewReal(t testing.TB, n int, edits ...Edit) *Mesh {
	m := &Mesh{T: t}
	m.Grow(n, edits...)
	return m
}

// Grow starts n nodes in a mesh that has none, and closes them when the test ends.
func (m *Mesh) Grow(n int, edits ...Edit) {
	m.T.Helper()
	m.T.Cleanup(m.Close)
	for i := range n {
		m.Nodes = append(m.Nodes, m.NewNode(i, edits...))
	}
	m.Start()
	m.Settle(n)
}

// Host returns the name of node i's host on the network in memory.
func Host(i int) string { return "host" + strconv.Itoa(i) }

// Options returns the options of node i, whose bootstrap node is the first.
func (m *Mesh) Options(i int, edits ...Edit) cachemesh.Options {
	o := cachemesh.Options{Name: "node" + strconv.Itoa(i)}
	if m.Net != nil {
		members.Place(&o, m.Net, Host(i))
	}
	if len(m.Nodes) > 0 {
		o.BootstrapNodes = []string{m.Nodes[0].Addr()}
	}
	for _, e := range edits {
		e(i, &o)
	}
	return o
}

// NewNode returns a node that was not started and is not one of Nodes yet; the test
// closes it, or adds it to Nodes.
func (m *Mesh) NewNode(i int, edits ...Edit) *cachemesh.Node {
	m.T.Helper()
	node, err := cachemesh.New(m.Options(i, edits...))
	if err != nil {
		m.T.Fatal(err)
	}
	return node
}

// Start starts all nodes that were made, side by side.
func (m *Mesh) Start() {
	m.T.Helper()
	Must(m.T, members.Start(len(m.Nodes), func(i int) error {
		if err := m.Nodes[i].Start(); err != nil {
			return fmt.Errorf("node%d: %w", i, err)
		}
		return nil
	}))
}

// Settle waits until every live node agrees that there are this many.
func (m *Mesh) Settle(want int) {
	m.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	for i, n := range m.Nodes {
		if n == nil {
			continue
		}
		if err := AwaitSettled(ctx, n, want); err != nil {
			m.T.Fatalf("node%d has not settled with %d members: %v; it sees %v", i, want, err, n.Members())
		}
	}
}

// Kill crashes a node.
func (m *Mesh) Kill(i int) {
	if m.Net != nil {
		m.Net.Kill(Host(i))
	}
	m.Nodes[i].Close()
	m.Nodes[i] = nil
}

// Close closes all nodes.
func (m *Mesh) Close() {
	for _, n := range m.Nodes {
		if n != nil {
			n.Close()
		}
	}
	m.Nodes = nil
}

// Owner returns the index of the node that owns a key.
func (m *Mesh) Owner(group, key string) int {
	m.T.Helper()
	for _, n := range m.Nodes {
		if n == nil {
			continue
		}
		addr := seam.Inside(n).OwnerAddr(group, key)
		for i, o := range m.Nodes {
			if o != nil && o.Addr() == addr {
				return i
			}
		}
		m.T.Fatalf("nobody owns %q", key)
	}
	return -1
}

// KeyOf returns a key of the group that a node owns.
func (m *Mesh) KeyOf(group string, node int) string { return m.KeysOf(group, node, 1)[0] }

// KeysOf returns keys of the group that a node owns.
func (m *Mesh) KeysOf(group string, node, n int) []string {
	var keys []string
	for i := 0; len(keys) < n; i++ {
		if key := "key" + strconv.Itoa(i); m.Owner(group, key) == node {
			keys = append(keys, key)
		}
	}
	return keys
}

// MovesTo returns keys that one owner has with the names before and another after.
func MovesTo(group string, before, after []string, from, to string, n int) (keys []string) {
	a, b := ring.New(before), ring.New(after)
	for i := 0; len(keys) < n; i++ {
		k := "key" + strconv.Itoa(i)
		h := ring.Hash(ring.Seed(group), k)
		if a.Members()[a.Owner(h)] == from && b.Members()[b.Owner(h)] == to {
			keys = append(keys, k)
		}
	}
	return keys
}
