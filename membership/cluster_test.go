package membership

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// recorder is a member's OnView. It checks every view against the one before.
type recorder struct {
	t    testing.TB
	busy atomic.Bool

	mu    sync.Mutex // guards views and more
	views []*View
	more  chan struct{} // closed and replaced when a view comes
}

func newRecorder(t testing.TB) *recorder { return &recorder{t: t, more: make(chan struct{})} }

func (r *recorder) onView(v *View) {
	if !r.busy.CompareAndSwap(false, true) {
		r.t.Error("OnView was called concurrently")
	}
	defer r.busy.Store(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	old := &View{}
	if len(r.views) > 0 {
		old = r.views[len(r.views)-1]
	}
	checkView(r.t, old, v)
	r.views = append(r.views, v)
	close(r.more)
	r.more = make(chan struct{})
}

// checkView checks what every view promises: numbers without gaps, sorted members, and nothing lost.
func checkView(t testing.TB, old, v *View) {
	t.Helper()
	if v.Epoch != old.Epoch+1 {
		t.Errorf("epoch %d follows %d", v.Epoch, old.Epoch)
	}
	if !slices.IsSortedFunc(v.Members, func(a, b Member) int { return strings.Compare(a.ID(), b.ID()) }) {
		t.Errorf("members are not sorted: %v", v.Members)
	}
	gone := func(id string) bool {
		return slices.ContainsFunc(v.Gone, func(d Departure) bool { return d.Member.ID() == id })
	}
	for _, m := range old.Members {
		if !has(v, m.ID()) && !gone(m.ID()) {
			t.Errorf("epoch %d: %s vanished and is not in Gone %v", v.Epoch, m.ID(), v.Gone)
		}
	}
	for _, d := range v.Gone {
		if !has(old, d.Member.ID()) {
			t.Errorf("epoch %d: %s is in Gone and was not in the view before", v.Epoch, d.Member.ID())
		}
	}
}

func has(v *View, id string) bool {
	return slices.ContainsFunc(v.Members, func(m Member) bool { return m.ID() == id })
}

// find returns the first view that pred accepts.
func (r *recorder) find(pred func(*View) bool) *View {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.views, pred); i >= 0 {
		return r.views[i]
	}
	return nil
}

// departure returns the first record of id's departure.
func (r *recorder) departure(id string) (d Departure, ok bool) {
	r.find(func(v *View) bool {
		for _, g := range v.Gone {
			if g.Member.ID() == id {
				d, ok = g, true
			}
		}
		return ok
	})
	return d, ok
}

// node is a member under test.
type node struct {
	*Membership
	*recorder
	addr netip.AddrPort
	log  *lockedBuffer
}

func (n *node) id() string { return n.table.selfMember().ID() }

// names returns the names in the latest view.
func (n *node) names() string {
	var names []string
	for _, m := range n.View().Members {
		names = append(names, m.Name)
	}
	return strings.Join(names, " ")
}

// cluster runs members on a memnet, inside a synctest bubble.
type cluster struct {
	t     *testing.T
	net   *memnet
	nodes []*node
}

// bubble runs f with a cluster in a synctest bubble, and closes the cluster after it.
func bubble(t *testing.T, f func(t *testing.T, c *cluster)) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t, net: newMemnet(t)}
		defer c.close()
		f(t, c)
	})
}

func (c *cluster) close() {
	for _, n := range c.nodes {
		if err := n.Close(); err != nil {
			c.t.Errorf("Close: %v", err)
		}
		if c.t.Failed() {
			c.t.Logf("log of %s:\n%s", n.cfg.Name, n.log)
		}
	}
	// memberlist's probes and timers end some time after its Shutdown, and the bubble's clock stops with this function.
	time.Sleep(time.Minute)
}

func addrOf(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 3000)
}

// start runs the member named n<i> at addrOf(i) and lets it join.
func (c *cluster) start(i int, seeds ...int) *node {
	c.t.Helper()
	n := c.launch(i, seedsAt(seeds...))
	if _, err := n.Join(c.t.Context()); err != nil {
		c.t.Fatalf("Join of %d: %v", i, err)
	}
	return n
}

func seedsAt(seeds ...int) func(*Config) {
	return func(cfg *Config) {
		for _, s := range seeds {
			cfg.Seeds = append(cfg.Seeds, addrOf(s).String())
		}
	}
}

// launch runs a member that has not joined.
func (c *cluster) launch(i int, change ...func(*Config)) *node {
	c.t.Helper()
	n, err := c.tryLaunch(i, change...)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

func (c *cluster) tryLaunch(i int, change ...func(*Config)) (*node, error) {
	addr := addrOf(i)
	sock := c.net.listen(addr)
	n := &node{recorder: newRecorder(c.t), addr: addr, log: &lockedBuffer{}}
	cfg := Config{
		Name: fmt.Sprintf("n%d", i), Addr: addr.String(), Packets: sock, DialStream: c.net.dialer(addr),
		OnView: n.onView, Logger: slog.New(slog.NewTextHandler(n.log, nil)), Resolver: &names{},
	}
	for _, f := range change {
		f(&cfg)
	}
	m, err := New(cfg)
	if err != nil {
		return nil, err
	}
	n.Membership = m
	serve := m.ServeStream
	sock.serve.Store(&serve)
	c.nodes = append(c.nodes, n)
	return n, nil
}

// mesh starts n members that know each other.
func (c *cluster) mesh(n int) []*node {
	c.t.Helper()
	for i := range n {
		c.start(i+1, 1)
	}
	c.waitFor(2*time.Second, func() bool { return c.agree(n, c.nodes...) })
	return c.nodes
}

// agree says whether nodes all see the same n members.
func (c *cluster) agree(n int, nodes ...*node) bool {
	for _, x := range nodes {
		if len(x.View().Members) != n || !slices.Equal(x.View().Members, nodes[0].View().Members) {
			return false
		}
	}
	return true
}

// waitFor lets time pass until cond holds, and returns how long that took.
func (c *cluster) waitFor(limit time.Duration, cond func() bool) time.Duration {
	c.t.Helper()
	start := time.Now()
	for !cond() {
		if time.Since(start) > limit {
			for _, n := range c.nodes {
				c.t.Logf("%s sees %s", n.cfg.Name, n.names())
			}
			c.t.Fatalf("not within %v", limit)
		}
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
	}
	return time.Since(start)
}
