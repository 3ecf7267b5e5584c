package route_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestClearWhileMembersLeave: values without a loader are handed over to new
// owners. A Clear meanwhile must not miss them.
func TestClearWhileMembersLeave(t *testing.T) {
	for round := range 20 {
		t.Run(fmt.Sprint("round=", round), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 3)
				m.Net.SetLatency(0, time.Millisecond)
				groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
				keys := kit.Numbered("key", 200)
				for i, key := range keys {
					kit.Must(t, groups[i%3].Set(ctx, key, "v", 0))
				}
				leaver := m.Nodes[2]
				m.Nodes = m.Nodes[:2]
				var gone sync.WaitGroup
				gone.Go(func() { kit.Must(t, leaver.Shutdown(ctx)) })
				time.Sleep(time.Duration(round) * 300 * time.Microsecond)
				kit.Must(t, groups[round%2].Clear(ctx))
				gone.Wait()
				m.Settle(2)
				for i, g := range groups[:2] {
					if many, err := g.GetMany(ctx, keys); err != nil || len(many) != 0 {
						t.Errorf("node%d has %d values after Clear, %v", i, len(many), err)
					}
				}
			})
		})
	}
}

// TestClearWaitsForACrashToBeSeen, as a Delete does.
func TestClearWaitsForACrashToBeSeen(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		for _, key := range kit.Numbered("key", 50) {
			kit.MustGet(t, groups[0], key, "value of "+key)
		}
		m.Kill(2)
		start := time.Now()
		kit.Must(t, groups[0].Clear(ctx))
		t.Logf("Clear took %v after a crash", time.Since(start))
		for i, g := range groups[:2] {
			if n := g.Stats().Entries; n != 0 {
				t.Errorf("node%d has %d entries", i, n)
			}
		}
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		m.Kill(1)
		if err := groups[0].Clear(short); err == nil {
			t.Error("Clear told a member that had crashed")
		}
	})
}

// TestClearAcrossAJoin: while a Clear waits for a holder, a member joins and is handed a
// value that was there before. The Clear must reach that, too.
func TestClearAcrossAJoin(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		slow, names := kit.SlowInvalidations(4*time.Second), []string{"node0", "node1", "node2"}
		long := func(_ int, o *cachemesh.Options) { o.Lease = 5 * time.Second }
		m := kit.New(t, 2, slow, long)
		g := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{HotReads: 1, Replicas: 1})
		moves := kit.MovesTo("g", names[:2], names, "node1", "node2", 1)[0]
		stays := kit.MovesTo("g", names[:2], names, "node1", "node1", 1)[0]
		kit.Must(t, g[1].Set(ctx, moves, "v", 0))
		kit.Must(t, g[1].Set(ctx, stays, "v", 0))
		for range 3 {
			kit.MustGet(t, g[0], stays, "v") // a lease is out
		}
		done := make(chan error, 1)
		go func() { done <- g[0].Clear(ctx) }()
		time.Sleep(10 * time.Millisecond)
		n := m.NewNode(2, slow, long)
		g2, err := cachemesh.NewGroup(n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		m.Nodes = append(m.Nodes, n)
		kit.Must(t, n.Start())
		m.Settle(3)
		kit.MustGet(t, g2, moves, "v") // handed over
		select {
		case err := <-done:
			t.Fatalf("the Clear waited for nobody: %v", err)
		default:
		}
		kit.Must(t, <-done)
		if v, err := g2.Get(ctx, moves); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("after Clear the new member has %q, %v", v, err)
		}
	})
}

// TestClearVoidsRefreshes: a refresh that began before Clear returned, and read
// the row before it changed, is not stored.
func TestClearVoidsRefreshes(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		var row, loads atomic.Int64
		groups := kit.GroupOn(m, "g", func(context.Context, string) (int, error) {
			loads.Add(1)
			v := int(row.Load())
			time.Sleep(3 * time.Millisecond)
			return v, nil
		}, cachemesh.GroupOptions[int]{TTL: time.Hour, RefreshAfter: time.Millisecond, HotReads: 1})
		key := m.KeyOf("g", 0)
		w := &kit.Watch{}
		stop := make(chan struct{})
		var readers sync.WaitGroup
		for i, g := range groups {
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(500 * time.Microsecond):
						w.Get(t, ctx, g, i, key)
					}
				}
			})
		}
		for v := range 200 {
			row.Store(int64(v + 1))
			kit.Must(t, groups[v%3].Clear(ctx))
			w.Floor.Store(int64(v + 1)) // whoever asks from now on sees it
			time.Sleep(5 * time.Millisecond)
		}
		close(stop)
		readers.Wait()
		t.Logf("%d reads, %d loads, 200 Clears", w.Reads.Load(), loads.Load())
	})
}

// TestClearVoidsOneRefresh lets one refresh read the row before it changes, and end
// after Clear has returned, with leases on the key and without.
func TestClearVoidsOneRefresh(t *testing.T) {
	for _, leased := range []bool{false, true} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m, gate := kit.New(t, 2), kit.NewGate()
			groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{RefreshAfter: 100 * time.Millisecond, HotReads: 1})
			key := m.KeyOf("g", 0)
			readers := groups[:1]
			if leased {
				readers = groups
			}
			first := kit.GoGet(ctx, groups[0], key)
			<-gate.Entered
			gate.Release <- "old"
			<-first
			for _, g := range readers {
				kit.MustGet(t, g, key, "old")
			}
			time.Sleep(150 * time.Millisecond)
			kit.MustGet(t, groups[0], key, "old")
			<-gate.Entered // the refresh has read the row, which changes now
			kit.Must(t, groups[1].Clear(ctx))
			gate.Release <- "old"
			synctest.Wait()
			for _, g := range groups {
				got := kit.GoGet(ctx, g, key)
				synctest.Wait()
				select {
				case out := <-got:
					if out.V != "new" {
						t.Fatalf("leased %t: after Clear: %q, %v", leased, out.V, out.Err)
					}
				case <-gate.Entered:
					gate.Release <- "new"
					<-got
				}
			}
			if n := gate.Loads.Load(); n != 3 || groups[0].Stats().Refreshes != 1 {
				t.Errorf("leased %t: %d loads, %d refreshes, want 3 and 1", leased, n, groups[0].Stats().Refreshes)
			}
		})
	}
}

// TestLoadsAfterClearAreKept: what is loaded once a Clear is over stays.
func TestLoadsAfterClearAreKept(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		var loads atomic.Int64
		groups := kit.GroupOn(m, "g", func(context.Context, string) (int64, error) { return loads.Add(1), nil }, cachemesh.GroupOptions[int64]{})
		for i := range int64(5) {
			kit.Must(t, groups[0].Clear(ctx))
			for _, g := range groups {
				for range 3 {
					kit.MustGet(t, g, "k", i+1)
				}
			}
		}
	})
}

// TestClearFreesMemory: the heap has it back, and not the books alone.
func TestClearFreesMemory(t *testing.T) {
	if kit.Race {
		t.Skip("counts bytes of the heap")
	}
	m := kit.New(t, 2)
	groups := kit.GroupOn[[]byte](m, "g", nil, cachemesh.GroupOptions[[]byte]{MaxBytes: 64 << 20, Replicas: 1})
	ctx := kit.Context(t)
	empty, heap := groups[0].Stats().Bytes, kit.HeapBytes()
	for i := range 20_000 {
		kit.Must(t, groups[0].Set(ctx, fmt.Sprint("key", i), make([]byte, 500), 0))
	}
	full, grown := groups[0].Stats().Bytes, kit.HeapBytes()-heap
	start := time.Now()
	kit.Must(t, groups[1].Clear(ctx))
	took := time.Since(start)
	after := groups[0].Stats()
	t.Logf("Clear of 20 000 entries took %v; bytes before %d, after %d, when new %d", took, full, after.Bytes, empty)
	if after.Entries != 0 || after.Bytes > full/10 {
		t.Errorf("%d entries and %d of %d bytes left", after.Entries, after.Bytes, full)
	}
	if left := kit.HeapBytes() - heap; grown < 10<<20 || left > grown/5 {
		t.Errorf("the heap grew by %d bytes, and %d are left after Clear", grown, left)
	}
	runtime.KeepAlive(groups)
}

// TestClearWithAHolderThatIsCutOff waits for its leases to lapse, all at once.
func TestClearWithAHolderThatIsCutOff(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := m.KeysOf("g", 0, 100)
		for range 3 {
			for _, key := range keys {
				kit.MustGet(t, groups[1], key, "value of "+key)
				kit.MustGet(t, groups[2], key, "value of "+key)
			}
		}
		m.Net.Pause(kit.Host(2))
		start := time.Now()
		done := make(chan error, 1)
		go func() { done <- groups[0].Clear(ctx) }()
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if n := groups[0].Stats().Entries; n != 0 {
			t.Errorf("%d entries are left when all leases have lapsed", n)
		}
		err := <-done // until the view without it
		t.Logf("Clear with 100 leases at a member that is cut off took %v", time.Since(start))
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		m.Net.Resume(kit.Host(2))
	})
}
