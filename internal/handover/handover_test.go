package handover_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

const opHandOver = 9

// opGate blocks one call of an op, once it is on.
type opGate struct {
	op      uint8
	on      atomic.Bool
	entered chan struct{}
	open    chan struct{}
}

func (g *opGate) edit(i int, o *cachemesh.Options) {
	o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
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
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		gt := newOpGate(opHandOver)
		m := kit.New(t, 1, gt.edit)
		g0, err := cachemesh.NewGroup[string](m.Nodes[0], "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		ks := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 3)
		for _, k := range ks {
			kit.Must(t, g0.Set(ctx, k, "old", 0))
		}
		n1 := m.NewNode(1, gt.edit)
		m.Nodes = append(m.Nodes, n1)
		g1, err := cachemesh.NewGroup[string](n1, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		go n1.Start()
		<-gt.entered
		kit.Must(t, kit.Pause(ctx, 300*time.Millisecond))
		done := make(chan error, 1)
		go func() { done <- g0.Clear(ctx) }()
		select {
		case err := <-done:
			t.Errorf("Clear returned %v while values were on their way", err)
			close(gt.open)
		case <-time.After(time.Second):
			close(gt.open)
			kit.Must(t, <-done)
		}
		m.Settle(2)
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
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		gt := newOpGate(opHandOver)
		m := kit.New(t, 1, gt.edit)
		g0, err := cachemesh.NewGroup[string](m.Nodes[0], "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		ks := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 2)
		for _, k := range ks {
			kit.Must(t, g0.Set(ctx, k, "old", 0))
		}
		n1 := m.NewNode(1, gt.edit)
		go n1.Start()
		<-gt.entered
		kit.Must(t, kit.Pause(ctx, 300*time.Millisecond))
		go n1.Shutdown(ctx) // a rollout that is taken back
		began := time.Now()
		kit.AwaitMembers(t, ctx, m.Nodes[0], 1)
		go func() { time.Sleep(time.Second); close(gt.open) }() // the call to node1 ends
		v, err := g0.Get(ctx, ks[0])
		if err != nil {
			t.Errorf("%v after node1 left: Get of a value that was Set: %q, %v", time.Since(began), v, err)
		}
		kit.Must(t, g0.Delete(ctx, ks[1]))
		<-gt.open
		kit.Must(t, kit.Pause(ctx, 10*time.Second))
		if v, err := g0.Get(ctx, ks[1]); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("10 s after Delete returned nil: %q, %v", v, err)
		}
		kit.MustGet(t, g0, ks[0], "old")
	})
}

// A member registers its group right after Start, as NewGroup allows.
func TestHandOverToLateGroup(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		g0, err := cachemesh.NewGroup[string](m.Nodes[0], "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		ks := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 20)
		for _, k := range ks {
			kit.Must(t, g0.Set(ctx, k, "v", 0))
		}
		n1 := m.NewNode(1)
		m.Nodes = append(m.Nodes, n1)
		kit.Must(t, n1.Start())
		g1, err := cachemesh.NewGroup[string](n1, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
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
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		gt := newOpGate(wire.OpFence)
		gt.on.Store(false)
		blocked := atomic.Bool{}
		ed := func(i int, o *cachemesh.Options) {
			o.CallTimeout = time.Second
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if req.Op == wire.OpFence && blocked.Load() {
					return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
				}
				return next.Call(ctx, req, resp)
			}}
		}
		m := kit.New(t, 1, ed)
		tb := &kit.Origin{Rows: map[string]string{}, Block: make(chan struct{}), Entered: make(chan struct{})}
		g0, err := cachemesh.NewGroup(m.Nodes[0], "g", tb.Load, cachemesh.GroupOptions[string]{Writer: tb})
		kit.Must(t, err)
		key := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 1)[0]
		done := make(chan error)
		go func() { done <- g0.Set(ctx, key, "v", 0) }()
		<-tb.Entered
		blocked.Store(true)
		n1 := m.NewNode(1, ed)
		m.Nodes = append(m.Nodes, n1)
		_, err = cachemesh.NewGroup(n1, "g", tb.Load, cachemesh.GroupOptions[string]{Writer: tb})
		kit.Must(t, err)
		go n1.Start()
		kit.AwaitMembers(t, ctx, m.Nodes[0], 2)
		kit.Must(t, kit.Pause(ctx, 100*time.Millisecond))
		close(tb.Block)
		err = <-done
		pe, ok := errors.AsType[*cachemesh.PeerError](err)
		if tb.Rows[key] == "v" && (err == nil || !ok || !pe.MaybeApplied) {
			t.Errorf("the origin has the value, and Set said: %v", err)
		}
	})
}

// TestHandOverOfManyValues hands over more than one list holds: none is lost
// between two lists.
func TestHandOverOfManyValues(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		group := func(n *cachemesh.Node) *cachemesh.Group[string] {
			g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
			kit.Must(t, err)
			return g
		}
		g0 := group(m.Nodes[0])
		ks := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 40)
		value := func(k string) string { return k + strings.Repeat("v", 100<<10) } // ten to a list
		for _, k := range ks {
			kit.Must(t, g0.Set(ctx, k, value(k), 0))
		}
		m.Nodes = append(m.Nodes, m.NewNode(1))
		g1 := group(m.Nodes[1])
		kit.Must(t, m.Nodes[1].Start())
		m.Settle(2)
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
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		n := m.Nodes[0]
		g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		good := kit.Packed(7, time.Hour, "a", "v", "b", "v")
		for cut := 1; cut < len(good); cut++ {
			want := uint8(wire.StatusInvalid)
			if cut == len(good)/2 {
				want = wire.StatusOK
			}
			if got := kit.Hand(ctx, n, "g", good[:cut]); got != want {
				t.Errorf("%d of %d bytes: status %d, want %d", cut, len(good), got, want)
			}
			if _, err := g.Get(ctx, "b"); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Fatalf("%d of %d bytes: a value was made of it: %v", cut, len(good), err)
			}
		}
		for name, bad := range map[string][]byte{
			"no key":       kit.Packed(7, 0, "", "v"),
			"a long key":   kit.Packed(7, 0, strings.Repeat("k", cachemesh.MaxKeyLen+1), "v"),
			"no version":   kit.Packed(0, 0, "c", "v"),
			"a past":       kit.Packed(7, -1, "c", "v"),
			"a huge value": {1, 'c', 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		} {
			if got := kit.Hand(ctx, n, "g", bad); got != wire.StatusInvalid {
				t.Errorf("%s: status %d", name, got)
			}
		}
		kit.MustGet(t, g, "a", "v")
	})
}

// TestVersionsOfOthersAreSeen takes a value from a member whose clock is an hour
// ahead, and writes it: that is the newer one, whatever the clocks say.
func TestVersionsOfOthersAreSeen(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		n := m.Nodes[0]
		g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		ahead := kit.Packed(uint64(time.Now().Add(time.Hour).UnixNano()), 0, "k", "theirs")
		if s := kit.Hand(ctx, n, "g", ahead); s != wire.StatusOK {
			t.Fatalf("status %d", s)
		}
		kit.MustGet(t, g, "k", "theirs")
		kit.Must(t, g.Set(ctx, "k", "ours", 0))
		kit.Hand(ctx, n, "g", ahead) // once more, by another former owner
		kit.MustGet(t, g, "k", "ours")
	})
}
