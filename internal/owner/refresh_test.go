package owner_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

func TestRefreshAhead(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		var loads atomic.Int64
		groups := kit.GroupOn(m, "g", func(context.Context, string) (int, error) {
			time.Sleep(100 * time.Millisecond)
			return int(loads.Add(1)), nil
		}, cachemesh.GroupOptions[int]{TTL: time.Minute, RefreshAfter: 10 * time.Second})
		key := m.KeyOf("g", 0)
		kit.MustGet(t, groups[1], key, 1)
		time.Sleep(15 * time.Second)
		if n := loads.Load(); n != 1 {
			t.Fatalf("%d loads of a key that nobody reads, want 1", n)
		}
		start := time.Now()
		var all sync.WaitGroup
		for _, g := range groups {
			for range 100 {
				all.Go(func() { kit.MustGet(t, g, key, 1) })
			}
		}
		all.Wait()
		if took := time.Since(start); took != 0 {
			t.Errorf("Gets waited %v for the refresh", took)
		}
		time.Sleep(3 * time.Second) // the load, and leases on the old value
		for _, g := range groups {
			kit.MustGet(t, g, key, 2)
		}
		var refreshes uint64
		for _, g := range groups {
			refreshes += g.Stats().Refreshes
		}
		if n := loads.Load(); n != 2 || refreshes != 1 {
			t.Errorf("%d loads and %d refreshes after 300 Gets, want 2 and 1", n, refreshes)
		}
	})
}

// TestWritesBeatRefreshes completes a write while a refresh is under way: what
// the refresh read before is not stored.
func TestWritesBeatRefreshes(t *testing.T) {
	for _, isSet := range []bool{true, false} {
		for owner := range 2 {
			t.Run(fmt.Sprintf("set=%t/owner=node%d", isSet, owner), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m := kit.New(t, 2)
					var loads, row atomic.Int64
					entered, release := make(chan struct{}), make(chan struct{})
					groups := kit.GroupOn(m, "g", func(context.Context, string) (int64, error) {
						v := row.Load()
						if loads.Add(1) == 2 {
							close(entered)
							<-release
						}
						return v, nil
					}, cachemesh.GroupOptions[int64]{TTL: time.Minute, RefreshAfter: time.Second})
					key := m.KeyOf("g", owner)
					kit.MustGet(t, groups[0], key, 0)
					time.Sleep(2 * time.Second)
					kit.MustGet(t, groups[0], key, 0)
					<-entered // the refresh has read the row
					row.Store(1)
					want := int64(1)
					if isSet {
						want = 2
						kit.Must(t, groups[0].Set(ctx, key, want, 0))
					} else {
						kit.Must(t, groups[0].Delete(ctx, key))
						kit.MustGet(t, groups[1], key, want)
					}
					close(release)
					synctest.Wait()
					for _, g := range groups {
						kit.MustGet(t, g, key, want)
					}
				})
			})
		}
	}
}

// TestRefreshNeverGoesBack reloads a value of which others hold hot copies,
// while invalidations are slow: whoever sees the new value, nobody sees the old
// one after that.
func TestRefreshNeverGoesBack(t *testing.T) {
	const goneFrom = 40 // the load from which on the row does not exist
	for _, test := range []struct {
		name string
		o    cachemesh.GroupOptions[int]
		end  bool // the row is deleted in the end
	}{
		{name: "values"},
		{name: "row goes", end: true},
		{name: "row goes and that is remembered", end: true, o: cachemesh.GroupOptions[int]{NotFoundTTL: time.Minute}},
		{name: "value is not kept any more", o: cachemesh.GroupOptions[int]{TTLFunc: func(_ string, v int) time.Duration {
			if v >= goneFrom {
				return -1
			}
			return time.Minute
		}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 3, kit.SlowInvalidations(37*time.Millisecond))
				var loads atomic.Int64
				o := test.o
				o.TTL, o.RefreshAfter, o.HotReads = time.Minute, 20*time.Millisecond, 1
				groups := kit.GroupOn(m, "g", func(context.Context, string) (int, error) {
					n := int(loads.Add(1))
					if test.end && n >= goneFrom {
						return 0, cachemesh.ErrNotFound
					}
					return n, nil
				}, o)
				w := kit.WatchAll(t, ctx, groups, m.KeyOf("g", 0), 4*time.Second)
				hot := groups[1].Stats().HotHits + groups[2].Stats().HotHits
				t.Logf("%d reads, %d of hot copies, %d loads", w.Reads.Load(), hot, loads.Load())
				if hot == 0 || loads.Load() < goneFrom {
					t.Error("too few refreshes or hot copies to prove anything")
				}
			})
		})
	}
}

// TestRefreshDuringAWrite: the row has changed and a Set waits for the holders of
// the old value. A refresh must not show the new row before they dropped it.
func TestRefreshDuringAWrite(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3, kit.SlowInvalidations(100*time.Millisecond))
		var row, refreshed atomic.Int64
		row.Store(1)
		groups := kit.GroupOn(m, "g", func(context.Context, string) (int, error) {
			refreshed.Add(1)
			return int(row.Load()), nil
		}, cachemesh.GroupOptions[int]{TTL: time.Minute, RefreshAfter: 150 * time.Millisecond, HotReads: 1})
		key := m.KeyOf("g", 0)
		var writer sync.WaitGroup
		writer.Go(func() {
			for v := range 30 {
				time.Sleep(time.Duration(300+7*v) * time.Millisecond) // at all phases of the refreshes
				row.Store(int64(v + 2))
				kit.Must(t, groups[0].Set(ctx, key, v+2, 0))
			}
		})
		w := kit.WatchAll(t, ctx, groups, key, 14*time.Second)
		writer.Wait()
		t.Logf("%d reads, %d of hot copies, %d refreshes", w.Reads.Load(), groups[1].Stats().HotHits, refreshed.Load())
		if groups[0].Stats().Refreshes < 20 || groups[1].Stats().HotHits < 1000 {
			t.Error("too few refreshes or hot copies to prove anything")
		}
	})
}

// TestNoRefreshBesideAWrite: a refresh is due while a Set waits for a holder. None
// begins: it could read what is written.
func TestNoRefreshBesideAWrite(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2, kit.SlowInvalidations(500*time.Millisecond))
		var row, loads atomic.Int64
		groups := kit.GroupOn(m, "g", func(context.Context, string) (int, error) {
			loads.Add(1)
			return int(row.Load()), nil
		}, cachemesh.GroupOptions[int]{TTL: time.Minute, RefreshAfter: 100 * time.Millisecond, HotReads: 1})
		key := m.KeyOf("g", 0)
		for _, g := range groups {
			kit.MustGet(t, g, key, 0) // now node1 holds a copy
		}
		row.Store(1)
		done := make(chan error, 1)
		go func() { done <- groups[0].Set(ctx, key, 1, 0) }()
		time.Sleep(200 * time.Millisecond)
		for range 10 {
			kit.MustGet(t, groups[0], key, 0) // the refresh is due
			synctest.Wait()
		}
		if loads.Load() != 1 || len(done) != 0 {
			t.Errorf("%d loads while a Set waits, %d done", loads.Load(), len(done))
		}
		kit.Must(t, <-done)
		for _, g := range groups {
			kit.MustGet(t, g, key, 1)
		}
		time.Sleep(time.Second)
		kit.MustGet(t, groups[0], key, 1)
		synctest.Wait()
		if loads.Load() != 2 {
			t.Errorf("%d loads when the Set was done, want a refresh", loads.Load())
		}
	})
}

// TestRefreshFailureKeepsTheValue until its TTL, with attempts further and
// further apart.
func TestRefreshFailureKeepsTheValue(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		var loads atomic.Int64
		groups := kit.GroupOn(m, "g", func(context.Context, string) (int, error) {
			if n := loads.Add(1); n > 1 {
				return 0, kit.ErrOrigin
			}
			return 1, nil
		}, cachemesh.GroupOptions[int]{TTL: 30 * time.Second, RefreshAfter: time.Second, Errors: []error{kit.ErrOrigin}})
		key := m.KeyOf("g", 1)
		start := time.Now()
		kit.MustGet(t, groups[0], key, 1)
		for time.Since(start) < 30*time.Second-10*time.Millisecond {
			kit.MustGet(t, groups[0], key, 1)
			time.Sleep(5 * time.Millisecond)
		}
		attempts := loads.Load() - 1
		t.Logf("%d attempts in 29 s", attempts)
		if attempts < 5 || attempts > 12 {
			t.Errorf("%d attempts to refresh in 29 s", attempts)
		}
		time.Sleep(20 * time.Millisecond)
		if v, err := groups[0].Get(ctx, key); !errors.Is(err, kit.ErrOrigin) {
			t.Errorf("Get after the TTL = %v, %v, want the loader's error", v, err)
		}
	})
}
