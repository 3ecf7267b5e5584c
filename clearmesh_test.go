package cachemesh_test

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
)

// TestClearWhileMembersLeave: values without a loader are handed over to new
// owners. A Clear meanwhile must not miss them.
func TestClearWhileMembersLeave(t *testing.T) {
	for round := range 20 {
		t.Run(fmt.Sprint("round=", round), func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				m := newMesh(t, 3)
				m.net.SetLatency(0, time.Millisecond)
				groups := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
				keys := numbered("key", 200)
				for i, key := range keys {
					must(t, groups[i%3].Set(ctx, key, "v", 0))
				}
				leaver := m.nodes[2]
				m.nodes = m.nodes[:2]
				var gone sync.WaitGroup
				gone.Go(func() { must(t, leaver.Shutdown(ctx)) })
				time.Sleep(time.Duration(round) * 300 * time.Microsecond)
				must(t, groups[round%2].Clear(ctx))
				gone.Wait()
				m.settle(2)
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
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
		for _, key := range numbered("key", 50) {
			mustGet(t, groups[0], key, "value of "+key)
		}
		m.kill(2)
		start := time.Now()
		must(t, groups[0].Clear(ctx))
		t.Logf("Clear took %v after a crash", time.Since(start))
		for i, g := range groups[:2] {
			if n := g.Stats().Entries; n != 0 {
				t.Errorf("node%d has %d entries", i, n)
			}
		}
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		m.kill(1)
		if err := groups[0].Clear(short); err == nil {
			t.Error("Clear told a member that had crashed")
		}
	})
}

// TestClearAcrossAJoin: while a Clear waits for a holder, a member joins and is handed a
// value that was there before. The Clear must reach that, too.
func TestClearAcrossAJoin(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		slow, names := slowInvalidations(4*time.Second), []string{"node0", "node1", "node2"}
		long := func(_ int, o *cachemesh.Options) { o.Lease = 5 * time.Second }
		m := newMesh(t, 2, slow, long)
		g := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{HotReads: 1})
		moves := movesTo("g", names[:2], names, "node1", "node2", 1)[0]
		stays := movesTo("g", names[:2], names, "node1", "node1", 1)[0]
		must(t, g[1].Set(ctx, moves, "v", 0))
		must(t, g[1].Set(ctx, stays, "v", 0))
		for range 3 {
			mustGet(t, g[0], stays, "v") // a lease is out
		}
		done := make(chan error, 1)
		go func() { done <- g[0].Clear(ctx) }()
		time.Sleep(10 * time.Millisecond)
		n := m.newNode(2, slow, long)
		g2, err := cachemesh.NewGroup(n, "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		m.nodes = append(m.nodes, n)
		must(t, n.Start())
		m.settle(3)
		mustGet(t, g2, moves, "v") // handed over
		select {
		case err := <-done:
			t.Fatalf("the Clear waited for nobody: %v", err)
		default:
		}
		must(t, <-done)
		if v, err := g2.Get(ctx, moves); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("after Clear the new member has %q, %v", v, err)
		}
	})
}

// TestClearVoidsRefreshes: a refresh that began before Clear returned, and read
// the row before it changed, is not stored.
func TestClearVoidsRefreshes(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		var row, loads atomic.Int64
		groups := groupOn(m, "g", func(context.Context, string) (int, error) {
			loads.Add(1)
			v := int(row.Load())
			time.Sleep(3 * time.Millisecond)
			return v, nil
		}, cachemesh.GroupOptions[int]{TTL: time.Hour, RefreshAfter: time.Millisecond, HotReads: 1})
		key := m.keyOf("g", 0)
		w := &watch{}
		stop := make(chan struct{})
		var readers sync.WaitGroup
		for i, g := range groups {
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(500 * time.Microsecond):
						w.get(t, ctx, g, i, key)
					}
				}
			})
		}
		for v := range 200 {
			row.Store(int64(v + 1))
			must(t, groups[v%3].Clear(ctx))
			w.floor.Store(int64(v + 1)) // whoever asks from now on sees it
			time.Sleep(5 * time.Millisecond)
		}
		close(stop)
		readers.Wait()
		t.Logf("%d reads, %d loads, 200 Clears", w.reads.Load(), loads.Load())
	})
}

// TestClearVoidsOneRefresh lets one refresh read the row before it changes, and end
// after Clear has returned, with leases on the key and without.
func TestClearVoidsOneRefresh(t *testing.T) {
	for _, leased := range []bool{false, true} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			m, gate := newMesh(t, 2), newGate()
			groups := groupOn(m, "g", gate.load, cachemesh.GroupOptions[string]{RefreshAfter: 100 * time.Millisecond, HotReads: 1})
			key := m.keyOf("g", 0)
			readers := groups[:1]
			if leased {
				readers = groups
			}
			first := goGet(ctx, groups[0], key)
			<-gate.entered
			gate.release <- "old"
			<-first
			for _, g := range readers {
				mustGet(t, g, key, "old")
			}
			time.Sleep(150 * time.Millisecond)
			mustGet(t, groups[0], key, "old")
			<-gate.entered // the refresh has read the row, which changes now
			must(t, groups[1].Clear(ctx))
			gate.release <- "old"
			synctest.Wait()
			for _, g := range groups {
				got := goGet(ctx, g, key)
				synctest.Wait()
				select {
				case out := <-got:
					if out.v != "new" {
						t.Fatalf("leased %t: after Clear: %q, %v", leased, out.v, out.err)
					}
				case <-gate.entered:
					gate.release <- "new"
					<-got
				}
			}
			if n := gate.loads.Load(); n != 3 || groups[0].Stats().Refreshes != 1 {
				t.Errorf("leased %t: %d loads, %d refreshes, want 3 and 1", leased, n, groups[0].Stats().Refreshes)
			}
		})
	}
}

// TestClearAndNegativeEntries, and the flights that come after.
func TestLoadsAfterClearAreKept(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 2)
		var loads atomic.Int64
		groups := groupOn(m, "g", func(context.Context, string) (int64, error) { return loads.Add(1), nil }, cachemesh.GroupOptions[int64]{})
		for i := range int64(5) {
			must(t, groups[0].Clear(ctx))
			for _, g := range groups {
				for range 3 {
					mustGet(t, g, "k", i+1)
				}
			}
		}
	})
}

// TestClearFreesMemory: the heap has it back, and not the books alone.
func TestClearFreesMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("counts bytes of the heap")
	}
	m := newMesh(t, 2)
	groups := groupOn[[]byte](m, "g", nil, cachemesh.GroupOptions[[]byte]{MaxBytes: 64 << 20})
	ctx := testContext(t)
	empty, heap := groups[0].Stats().Bytes, heapInUse()
	for i := range 20_000 {
		must(t, groups[0].Set(ctx, fmt.Sprint("key", i), make([]byte, 500), 0))
	}
	full, grown := groups[0].Stats().Bytes, heapInUse()-heap
	start := time.Now()
	must(t, groups[1].Clear(ctx))
	took := time.Since(start)
	after := groups[0].Stats()
	t.Logf("Clear of 20 000 entries took %v; bytes before %d, after %d, when new %d", took, full, after.Bytes, empty)
	if after.Entries != 0 || after.Bytes > full/10 {
		t.Errorf("%d entries and %d of %d bytes left", after.Entries, after.Bytes, full)
	}
	if left := heapInUse() - heap; grown < 10<<20 || left > grown/5 {
		t.Errorf("the heap grew by %d bytes, and %d are left after Clear", grown, left)
	}
	runtime.KeepAlive(groups)
}

// TestClearWithAHolderThatIsCutOff waits for its leases to lapse, all at once.
func TestClearWithAHolderThatIsCutOff(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := m.keysOf("g", 0, 100)
		for range 3 {
			for _, key := range keys {
				mustGet(t, groups[1], key, "value of "+key)
				mustGet(t, groups[2], key, "value of "+key)
			}
		}
		m.net.Pause(hostName(2))
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
		m.net.Resume(hostName(2))
	})
}
