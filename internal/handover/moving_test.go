package handover_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// tapHandOvers passes every hand-over through f.
func tapHandOvers(f func(ctx context.Context, addr string, call func() error) error) kit.Edit {
	return func(_ int, o *cachemesh.Options) {
		o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
			call := func() error { return next.Call(ctx, req, resp) }
			if req.Op != wire.OpHandOver {
				return call()
			}
			return f(ctx, addr, call)
		}}
	}
}

// bigValues sets values of a quarter of a list on node 0, which owns them.
func bigValues(t *testing.T, ctx context.Context, m *kit.Mesh, g *cachemesh.Group[[]byte], n int) (keys []string) {
	keys = m.KeysOf("map", 0, n)
	for _, key := range keys {
		kit.Must(t, g.Set(ctx, key, make([]byte, 64<<10), 0))
	}
	return keys
}

// missing counts the keys that a member cannot get.
func missing[V any](t *testing.T, ctx context.Context, g *cachemesh.Group[V], keys []string) (n int) {
	t.Helper()
	got, err := g.GetMany(ctx, keys)
	kit.Must(t, err)
	return len(keys) - len(got)
}

// TestShutdownCutMidway: the number in the error is that of the values that nobody has,
// those in the answers that were still to come not among them.
func TestShutdownCutMidway(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		short, cut := context.WithCancel(ctx)
		var calls atomic.Int64
		logs := new(kit.Log)
		m := kit.New(t, 2, func(_ int, o *cachemesh.Options) { o.Logger = logs.Logger() },
			tapHandOvers(func(_ context.Context, _ string, call func() error) error {
				err := call()
				if calls.Add(1) == 5 {
					cut()
				}
				time.Sleep(100 * time.Millisecond) // the answer is on its way
				return err
			}))
		groups := kit.GroupOn[[]byte](m, "map", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1})
		keys := bigValues(t, ctx, m, groups[0], 60)
		err := m.Nodes[0].Shutdown(short)
		s := m.Nodes[0].Stats()
		m.Nodes[0] = nil
		n := missing(t, ctx, groups[1], keys)
		le, ok := errors.AsType[*cachemesh.LostError](err)
		if !ok || le.Values != n || !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown: %v, and %d values are missing", err, n)
		}
		if n == 0 || n == len(keys) {
			t.Errorf("%d of %d values are missing: it was not cut off midway", n, len(keys))
		}
		if s.Lost != uint64(n) || logs.Count("are lost", "group=map", fmt.Sprint("values=", n)) != 1 {
			t.Errorf("Stats.Lost is %d, want %d, and a line: %v", s.Lost, n, logs)
		}
	})
}

// TestRefusedValuesAreSaid: what its new owner cannot hold, or would load, is lost, and
// Shutdown says so.
func TestRefusedValuesAreSaid(t *testing.T) {
	load := func(context.Context, string) ([]byte, error) { return nil, cachemesh.ErrNotFound }
	for name, tt := range map[string]struct {
		load cachemesh.LoaderFunc[[]byte]
		max  int64
	}{"too large for it": {nil, 256 << 10}, "it has a loader": {load, 0}} {
		t.Run(name, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				logs := new(kit.Log)
				m := kit.New(t, 2, func(_ int, o *cachemesh.Options) { o.Logger = logs.Logger() })
				g0, err := cachemesh.NewGroup[[]byte](m.Nodes[0], "map", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1})
				kit.Must(t, err)
				g1, err := cachemesh.NewGroup(m.Nodes[1], "map", tt.load, cachemesh.GroupOptions[[]byte]{MaxBytes: tt.max})
				kit.Must(t, err)
				keys := bigValues(t, ctx, m, g0, 5)
				small := m.KeysOf("map", 0, 8)[5:]
				for _, key := range small {
					kit.Must(t, g0.Set(ctx, key, []byte("v"), 0))
				}
				want := len(keys)
				if tt.load != nil {
					want += len(small)
				}
				err = m.Nodes[0].Shutdown(ctx)
				if le, ok := errors.AsType[*cachemesh.LostError](err); !ok || le.Values != want {
					t.Errorf("Shutdown: %v, want a LostError of %d values", err, want)
				}
				if c := logs.Count("are lost", "group=map", "peer=node1", fmt.Sprint("values=", want)); c != 1 {
					t.Errorf("%d lines about it, want 1: %v", c, logs)
				}
				m.Nodes[0] = nil
				if n := missing(t, ctx, g1, append(keys, small...)); n != want {
					t.Errorf("%d values are missing, want %d", n, want)
				}
			})
		})
	}
}

// TestOneOwnerTakesNothing: the others take theirs meanwhile, and it is those of the one
// that are lost.
func TestOneOwnerTakesNothing(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var stuck atomic.Pointer[string]
		m := kit.New(t, 3, tapHandOvers(func(ctx context.Context, addr string, call func() error) error {
			if addr == *stuck.Load() {
				<-ctx.Done()
				return &httppool.CallError{Addr: addr, Sent: true, Err: ctx.Err()}
			}
			return call()
		}))
		addr := m.Nodes[1].Addr()
		stuck.Store(&addr)
		groups := kit.GroupOn[[]byte](m, "map", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1})
		keys := bigValues(t, ctx, m, groups[0], 200)
		began := time.Now()
		err := m.Nodes[0].Shutdown(ctx)
		took := time.Since(began)
		m.Nodes[0] = nil
		want := 0
		for _, key := range keys {
			if m.Owner("map", key) == 1 {
				want++
			}
		}
		if le, ok := errors.AsType[*cachemesh.LostError](err); !ok || le.Values != want {
			t.Errorf("Shutdown: %v, want a LostError of %d values", err, want)
		}
		if n := missing(t, ctx, groups[2], keys); n != want {
			t.Errorf("%d values are missing, want %d", n, want)
		}
		if took > 15*time.Second {
			t.Errorf("Shutdown took %v", took)
		}
	})
}

// TestValuesComeBackWhileTheyAreSent: an owner takes values, hands them back with the next
// view to the member that has them yet, and only then that hears that they were taken.
func TestValuesComeBackWhileTheyAreSent(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		took, hear := make(chan struct{}), make(chan struct{})
		var once sync.Once
		m := kit.New(t, 1, tapHandOvers(func(_ context.Context, _ string, call func() error) error {
			err := call()
			if err == nil {
				once.Do(func() { close(took) })
				<-hear
			}
			return err
		}))
		g0, err := cachemesh.NewGroup[string](m.Nodes[0], "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		ks := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 10)
		for _, k := range ks {
			kit.Must(t, g0.Set(ctx, k, "v", 0))
		}
		n1 := m.NewNode(1)
		_, err = cachemesh.NewGroup[string](n1, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		go n1.Start()
		<-took
		for n1.Stats().Members != 2 {
			time.Sleep(time.Millisecond)
		}
		done := make(chan error, 1)
		go func() { done <- n1.Shutdown(ctx) }()
		for n1.Stats().HandedOver < uint64(len(ks)) {
			time.Sleep(time.Millisecond)
		}
		close(hear)
		kit.Must(t, <-done)
		for _, k := range ks {
			kit.MustGet(t, g0, k, "v")
		}
	})
}

// TestLongHandOverIsNoFault: while values move for long, nobody warns of members that do
// not agree, and reads and writes of what stays go on.
func TestLongHandOverIsNoFault(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		logs := new(kit.Log)
		logged := func(_ int, o *cachemesh.Options) { o.Logger = logs.Logger() }
		m := kit.New(t, 1, logged, tapHandOvers(func(_ context.Context, _ string, call func() error) error {
			time.Sleep(2 * time.Second)
			return call()
		}))
		g0, err := cachemesh.NewGroup[[]byte](m.Nodes[0], "map", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1})
		kit.Must(t, err)
		for _, k := range kit.MovesTo("map", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 200) {
			kit.Must(t, g0.Set(ctx, k, make([]byte, 64<<10), 0))
		}
		stays := kit.MovesTo("map", []string{"node0"}, []string{"node0", "node1"}, "node0", "node0", 1)[0]
		kit.Must(t, g0.Set(ctx, stays, nil, 0))
		n1 := m.NewNode(1, logged)
		m.Nodes = append(m.Nodes, n1)
		_, err = cachemesh.NewGroup[[]byte](n1, "map", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1})
		kit.Must(t, err)
		began := time.Now()
		kit.Must(t, n1.Start())
		for !n1.Stats().Settled {
			at := time.Now()
			kit.Must(t, g0.Set(ctx, stays, []byte("v"), 0))
			if _, err := g0.Get(ctx, stays); err != nil || time.Since(at) > 0 {
				t.Fatalf("a key that stays: %v after %v", err, time.Since(at))
			}
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(began); took < 30*time.Second {
			t.Errorf("it took %v: the test is about more than that", took)
		}
		seam.Inside(m.Nodes[0]).FlushLog()
		seam.Inside(n1).FlushLog()
		if logs.Count("do not agree")+logs.Count("lost") > 0 || logs.Count("being handed over") == 0 {
			t.Errorf("%v", logs)
		}
	})
}
