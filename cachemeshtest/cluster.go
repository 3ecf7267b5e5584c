package cachemeshtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/memnet"
)

// An Option edits the options of member i before its node is made, also when it
// restarts. Name, ListenAddr, AdvertiseAddr, BootstrapNodes and Network are the
// cluster's own. See OnNode for what is done with the node itself.
type Option func(i int, o *cachemesh.Options)

const (
	maxSeeds    = 3                // bootstrap nodes of a member
	settleLimit = 30 * time.Second // for Settle, Shutdown and New
)

// A Cluster is a mesh in memory. Its methods are called concurrently, but like
// those of testing.T that end a test, New, Add, Restart and Settle only from the
// goroutine that runs it.
type Cluster struct {
	t    testing.TB
	net  *memnet.Network
	opts []Option
	mark mark // of goroutines that nodes start

	starting sync.Mutex // one member starts at a time; taken before mu
	mu       sync.Mutex // guards the fields below
	members  []*member
	register []func(i int, n *cachemesh.Node) error // groups, in the order of Group
}

// A member is a place in the mesh, held by one node after the other. Guarded by
// Cluster.mu.
type member struct {
	name, addr string
	node       *cachemesh.Node // the last one
	running    bool
	paused     bool
	side       int // of the partition; 0 if there is none or it is in no group
}

// New returns a cluster of n started members that all see each other. When the
// test ends, it stops them, as a crash would, and fails the test if they leave
// goroutines behind. It ends the test if a node cannot start.
func New(t testing.TB, n int, opts ...Option) *Cluster {
	t.Helper()
	c := &Cluster{t: t, net: memnet.New(1), opts: opts, mark: newMark()}
	c.net.Trace(func(e memnet.Event) { t.Logf("network: %v", e) })
	t.Cleanup(c.stop)
	for range n {
		c.place()
	}
	if err := c.start(indexes(n)); err != nil {
		t.Fatal(err)
	}
	c.Settle()
	return c
}

// stop ends every node at the end of the test.
func (c *Cluster) stop() {
	c.net.Trace(nil)
	var wg sync.WaitGroup
	for i := range c.Len() {
		wg.Go(func() { c.end(i) })
	}
	wg.Wait()
	if stacks := c.mark.leaked(); stacks != "" {
		c.t.Errorf("cachemeshtest: goroutines outlive the cluster:\n%s", stacks)
	}
}

// end kills member i if it runs.
func (c *Cluster) end(i int) {
	c.mu.Lock()
	m := c.members[i]
	n, running := m.node, m.running
	m.running, m.paused = false, false
	c.mu.Unlock()
	if !running {
		return
	}
	c.net.Kill(m.name)
	if err := n.Close(); err != nil {
		c.t.Errorf("cachemeshtest: closing member %d: %v", i, err)
	}
}

// Owner returns the number of the member that owns a key of a group, as all members see it that run and
// are not paused. It ends the test if they do not agree, as before Settle, or none has the group.
func (c *Cluster) Owner(group, key string) int {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	owner := ""
	for i, m := range c.members {
		if !m.running || m.paused {
			continue
		}
		for _, g := range m.node.Groups() {
			if g.Name() != group {
				continue
			}
			name, err := g.Owner(key)
			if err != nil || owner != "" && name != owner {
				c.t.Fatal(fmt.Errorf("cachemeshtest: the owner of %q in group %q is %q, and for member %d %q, %v", key, group, owner, i, name, err))
			}
			owner = name
		}
	}
	for i, m := range c.members {
		if m.name == owner {
			return i
		}
	}
	c.t.Fatal(fmt.Errorf("cachemeshtest: no member that runs has group %q", group))
	return -1
}

// Len returns how many members there ever were.
func (c *Cluster) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.members)
}

// Node returns the node of member i, or the last one if it does not run now.
func (c *Cluster) Node(i int) *cachemesh.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[i].node
}

// Nodes returns the nodes that run, paused ones included.
func (c *Cluster) Nodes() []*cachemesh.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	var nodes []*cachemesh.Node
	for _, m := range c.members {
		if m.running {
			nodes = append(nodes, m.node)
		}
	}
	return nodes
}

// Add starts one more member and returns its number once it has joined. It ends
// the test if the node cannot start.
func (c *Cluster) Add() int {
	c.t.Helper()
	i := c.place()
	if err := c.start([]int{i}); err != nil {
		c.t.Fatal(err)
	}
	return i
}

// Restart starts a member that was killed or shut down: a new process, empty,
// with the old name and address. It returns once the member has joined. It ends
// the test if the member runs or cannot start.
func (c *Cluster) Restart(i int) {
	c.t.Helper()
	if err := c.start([]int{i}); err != nil {
		c.t.Fatal(err)
	}
}

// Kill ends member i as a crash does, without a word to the others. Callers that
// wait for it fail; its peers find their connections reset, and take some
// seconds to agree that it is gone: see Settle.
func (c *Cluster) Kill(i int) { c.end(i) }

// Shutdown takes member i out of the mesh in order. It fails the test if that
// fails or takes longer than 30 s.
func (c *Cluster) Shutdown(i int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleLimit)
	defer cancel()
	if err := c.Node(i).Shutdown(ctx); err != nil {
		c.t.Errorf("cachemeshtest: shutting member %d down: %v", i, err)
	}
	c.end(i)
}
