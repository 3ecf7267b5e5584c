package cachemesh_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

const opHandOver = 9

// movesTo returns keys that one owner has with the names before and another after.
func movesTo(group string, before, after []string, from, to string, n int) (keys []string) {
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

// holdOp blocks calls of one op while closed.
type opGate struct {
	op      uint8
	on      atomic.Bool
	entered chan struct{}
	open    chan struct{}
}

func (g *opGate) edit(i int, o *cachemesh.Options) {
	o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
		if req.Op == g.op && g.on.CompareAndSwap(true, false) {
			close(g.entered)
			select {
			case <-g.open:
			case <-ctx.Done():
				return &httppool.CallError{Addr: addr, Err: ctx.Err()}
			}
		}
		return next.Call(ctx, req, resp)
	}}
}

func newOpGate(op uint8) *opGate {
	g := &opGate{op: op, entered: make(chan struct{}), open: make(chan struct{})}
	g.on.Store(true)
	return g
}

// Clear waits for values that are on their way to a member that joins, and clears
// them there.
func TestClearDuringHandOver(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		gt := newOpGate(opHandOver)
		m := newMesh(t, 1, gt.edit)
		g0, err := cachemesh.NewGroup[string](m.nodes[0], "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		ks := movesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 3)
		for _, k := range ks {
			must(t, g0.Set(ctx, k, "old", 0))
		}
		n1 := m.newNode(1, gt.edit)
		m.nodes = append(m.nodes, n1)
		g1, err := cachemesh.NewGroup[string](n1, "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		go n1.Start()
		<-gt.entered
		must(t, cachemesh.Pause(ctx, m.nodes[0], 300*time.Millisecond))
		done := make(chan error, 1)
		go func() { done <- g0.Clear(ctx) }()
		select {
		case err := <-done:
			t.Errorf("Clear returned %v while values were on their way", err)
			close(gt.open)
		case <-time.After(time.Second):
			close(gt.open)
			must(t, <-done)
		}
		m.settle(2)
		for _, k := range ks {
			if v, err := g1.Get(ctx, k); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("after Clear returned nil: Get(%s) = %q, %v", k, v, err)
			}
		}
	})
}

// A member joins and leaves before it took its values: the former owner settles
// while it still has them in its hands.
func TestHandOverComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		gt := newOpGate(opHandOver)
		m := newMesh(t, 1, gt.edit)
		g0, err := cachemesh.NewGroup[string](m.nodes[0], "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		ks := movesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 2)
		for _, k := range ks {
			must(t, g0.Set(ctx, k, "old", 0))
		}
		n1 := m.newNode(1, gt.edit)
		go n1.Start()
		<-gt.entered
		must(t, cachemesh.Pause(ctx, m.nodes[0], 300*time.Millisecond))
		go n1.Shutdown(ctx) // a rollout that is taken back
		began := time.Now()
		for len(m.nodes[0].Members()) != 1 {
			must(t, cachemesh.Pause(ctx, m.nodes[0], time.Millisecond))
		}
		go func() { time.Sleep(time.Second); close(gt.open) }() // the call to node1 ends
		v, err := g0.Get(ctx, ks[0])
		if err != nil {
			t.Errorf("%v after node1 left: Get of a value that was Set: %q, %v", time.Since(began), v, err)
		}
		must(t, g0.Delete(ctx, ks[1]))
		<-gt.open
		must(t, cachemesh.Pause(ctx, m.nodes[0], 10*time.Second))
		if v, err := g0.Get(ctx, ks[1]); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("10 s after Delete returned nil: %q, %v", v, err)
		}
		mustGet(t, g0, ks[0], "old")
	})
}

// A member registers its group right after Start, as NewGroup allows.
func TestHandOverToLateGroup(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		g0, err := cachemesh.NewGroup[string](m.nodes[0], "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		ks := movesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 20)
		for _, k := range ks {
			must(t, g0.Set(ctx, k, "v", 0))
		}
		n1 := m.newNode(1)
		m.nodes = append(m.nodes, n1)
		must(t, n1.Start())
		g1, err := cachemesh.NewGroup[string](n1, "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		lost := 0
		for _, k := range ks {
			if _, err := g1.Get(ctx, k); err != nil {
				lost++
			}
		}
		if lost > 0 {
			t.Errorf("%d of %d values are lost", lost, len(ks))
		}
	})
}

// ErrUnsettled ("The write was not applied") after the Writer wrote the origin.
func TestUnsettledAfterOrigin(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		gt := newOpGate(cachemesh.OpFence)
		gt.on.Store(false)
		blocked := atomic.Bool{}
		ed := func(i int, o *cachemesh.Options) {
			o.CallTimeout = time.Second
			o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if req.Op == cachemesh.OpFence && blocked.Load() {
					return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
				}
				return next.Call(ctx, req, resp)
			}}
		}
		m := newMesh(t, 1, ed)
		tb := &wtable{rows: map[string]string{}, block: make(chan struct{}), entered: make(chan struct{})}
		g0, err := cachemesh.NewGroup(m.nodes[0], "g", tb.load, cachemesh.GroupOptions[string]{Writer: tb})
		must(t, err)
		key := movesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 1)[0]
		done := make(chan error)
		go func() { done <- g0.Set(ctx, key, "v", 0) }()
		<-tb.entered
		blocked.Store(true)
		n1 := m.newNode(1, ed)
		m.nodes = append(m.nodes, n1)
		_, err = cachemesh.NewGroup(n1, "g", tb.load, cachemesh.GroupOptions[string]{Writer: tb})
		must(t, err)
		go n1.Start()
		for len(m.nodes[0].Members()) != 2 {
			must(t, cachemesh.Pause(ctx, m.nodes[0], time.Millisecond))
		}
		must(t, cachemesh.Pause(ctx, m.nodes[0], 100*time.Millisecond))
		close(tb.block)
		err = <-done
		pe, ok := errors.AsType[*cachemesh.PeerError](err)
		if tb.rows[key] == "v" && (err == nil || !ok || !pe.MaybeApplied) {
			t.Errorf("the origin has the value, and Set said: %v", err)
		}
	})
}

// TestHandOverOfManyValues hands over more than one list holds: none is lost
// between two lists.
func TestHandOverOfManyValues(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		group := func(n *cachemesh.Node) *cachemesh.Group[string] {
			g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{})
			must(t, err)
			return g
		}
		g0 := group(m.nodes[0])
		ks := movesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 40)
		value := func(k string) string { return k + strings.Repeat("v", 100<<10) } // ten to a list
		for _, k := range ks {
			must(t, g0.Set(ctx, k, value(k), 0))
		}
		m.nodes = append(m.nodes, m.newNode(1))
		g1 := group(m.nodes[1])
		must(t, m.nodes[1].Start())
		m.settle(2)
		for _, k := range ks {
			if v, err := g1.Get(ctx, k); err != nil || v != value(k) {
				t.Errorf("Get(%s) = %d bytes, %v", k, len(v), err)
			}
		}
	})
}

// TestMalformedHandOver hands over lists that are cut or hold what cannot be: an
// error, and nothing of what cannot be read is stored.
func TestMalformedHandOver(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		n := m.nodes[0]
		g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		good := packed(7, time.Hour, "a", "v", "b", "v")
		for cut := 1; cut < len(good); cut++ {
			want := uint8(cachemesh.StatusInvalid)
			if cut == len(good)/2 {
				want = cachemesh.StatusOK
			}
			if got := hand(ctx, n, "g", good[:cut]); got != want {
				t.Errorf("%d of %d bytes: status %d, want %d", cut, len(good), got, want)
			}
			if _, err := g.Get(ctx, "b"); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Fatalf("%d of %d bytes: a value was made of it: %v", cut, len(good), err)
			}
		}
		for name, bad := range map[string][]byte{
			"no key":       packed(7, 0, "", "v"),
			"a long key":   packed(7, 0, strings.Repeat("k", cachemesh.MaxKeyLen+1), "v"),
			"no version":   packed(0, 0, "c", "v"),
			"a past":       packed(7, -1, "c", "v"),
			"a huge value": {1, 'c', 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		} {
			if got := hand(ctx, n, "g", bad); got != cachemesh.StatusInvalid {
				t.Errorf("%s: status %d", name, got)
			}
		}
		mustGet(t, g, "a", "v")
	})
}

// TestVersionsOfOthersAreSeen takes a value from a member whose clock is an hour
// ahead, and writes it: that is the newer one, whatever the clocks say.
func TestVersionsOfOthersAreSeen(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		n := m.nodes[0]
		g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		ahead := packed(uint64(time.Now().Add(time.Hour).UnixNano()), 0, "k", "theirs")
		if s := hand(ctx, n, "g", ahead); s != cachemesh.StatusOK {
			t.Fatalf("status %d", s)
		}
		mustGet(t, g, "k", "theirs")
		must(t, g.Set(ctx, "k", "ours", 0))
		hand(ctx, n, "g", ahead) // once more, by another former owner
		mustGet(t, g, "k", "ours")
	})
}
