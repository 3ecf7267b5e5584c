package cachemesh_test

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
)

// TestRefresh loads keys again that everybody has hot copies of.
func TestRefresh(t *testing.T) {
	for _, many := range []bool{false, true} {
		for _, failureTTL := range []time.Duration{0, time.Hour} {
			t.Run(fmt.Sprint("LoadMany=", many, "/FailureTTL=", failureTTL), func(t *testing.T) {
				bubble(t, func(t *testing.T, ctx context.Context) {
					m, tb := newMesh(t, 3), &table{}
					var calls atomic.Int64
					o := cachemesh.GroupOptions[string]{HotReads: 1, FailureTTL: failureTTL, Errors: []error{errSentinel}}
					if many {
						o.LoadMany = func(ctx context.Context, keys []string) (map[string]string, error) {
							calls.Add(1)
							values := make(map[string]string)
							for _, key := range keys {
								v, err := tb.load(ctx, key)
								if errors.Is(err, cachemesh.ErrNotFound) {
									continue
								} else if err != nil {
									return nil, err
								}
								values[key] = v
							}
							return values, nil
						}
					}
					groups := groupOn(m, "g", tb.load, o)
					keys := append(append(m.keysOf("g", 0, 3), m.keysOf("g", 1, 3)...), m.keysOf("g", 2, 3)...)
					look := func(want string) {
						t.Helper()
						for _, key := range keys {
							for range 3 {
								for _, g := range groups {
									mustGet(t, g, key, want)
								}
							}
						}
					}
					tb.set("old")
					look("old")
					tb.set("new")
					look("old")
					calls.Store(0)
					must(t, groups[0].Refresh(ctx, append(keys, keys...)...))
					look("new")
					if n := calls.Load(); many && n != 3 {
						t.Errorf("%d calls of LoadMany for keys of three owners", n)
					}
					tb.fails.Store(true)
					err := groups[1].Refresh(ctx, append(keys, "")...)
					failed, _ := errors.AsType[cachemesh.KeyErrors](err)
					if len(failed) != len(keys)+1 || !errors.Is(failed[""], cachemesh.ErrInvalidKey) {
						t.Errorf("Refresh while the origin is down: %v", err)
					}
					for _, key := range keys {
						if le, ok := errors.AsType[*cachemesh.LoadError](failed[key]); !ok || !errors.Is(le, errSentinel) || le.Key != key {
							t.Errorf("%q: %v", key, failed[key])
						}
					}
					look("new") // it was kept
					tb.fails.Store(false)
					tb.row.Store(nil)
					must(t, groups[2].Refresh(ctx, keys...))
					for _, g := range groups {
						wantNotFound(t, g, keys[0])
					}
					tb.set("again") // of keys that have nothing
					must(t, groups[0].Refresh(ctx, keys...))
					n := tb.loads.Load()
					look("again")
					if tb.loads.Load() != n {
						t.Error("what Refresh loaded was not kept")
					}
				})
			})
		}
	}
}

// TestRefreshIsNotServedByALoadThatBeganBefore it: that may have read the old row.
func TestRefreshIsNotServedByALoadThatBeganBefore(t *testing.T) {
	for owner := range 2 {
		bubble(t, func(t *testing.T, ctx context.Context) {
			m, o := newMesh(t, 2), &slowOrigin{takes: 100 * time.Millisecond}
			groups := groupOn(m, "g", o.load, cachemesh.GroupOptions[int64]{})
			key := m.keyOf("g", owner)
			var all sync.WaitGroup
			all.Go(func() { mustGet(t, groups[1], key, 0) })
			time.Sleep(50 * time.Millisecond) // it has read the row
			o.version.Store(1)
			for range 10 {
				all.Go(func() {
					must(t, groups[0].Refresh(ctx, key))
					mustGet(t, groups[1], key, 1)
				})
			}
			all.Wait()
			if n := o.entered.Load(); n != 2 {
				t.Errorf("%d loads, want that of the Get and one for ten Refreshes", n)
			}
		})
	}
}

// TestRefreshNeverUndoesAWrite, with and without a Writer, and does not go back in
// time for readers of hot copies.
func TestRefreshNeverUndoesAWrite(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3, slowInvalidations(20*time.Millisecond))
		var row atomic.Int64
		groups := groupOn(m, "g", func(context.Context, string) (int, error) {
			v := row.Load()
			time.Sleep(5 * time.Millisecond)
			return int(v), nil
		}, cachemesh.GroupOptions[int]{HotReads: 1})
		key := m.keyOf("g", 0)
		var all sync.WaitGroup
		for i, g := range groups {
			all.Go(func() {
				for range 40 {
					time.Sleep(time.Duration(37+11*i) * time.Millisecond)
					must(t, g.Refresh(ctx, key))
				}
			})
		}
		all.Go(func() {
			for v := range 40 {
				time.Sleep(61 * time.Millisecond)
				row.Store(int64(v + 1))
				if v%2 == 0 {
					must(t, groups[1].Set(ctx, key, v+1, 0))
				} else {
					must(t, groups[2].Delete(ctx, key))
				}
				mustGetAtLeast(t, groups[v%3], key, v+1)
			}
		})
		watchAll(t, ctx, groups, key, 4*time.Second)
		all.Wait()
	})
}

func mustGetAtLeast(t *testing.T, g *cachemesh.Group[int], key string, least int) {
	if v, err := g.Get(testContext(t), key); err != nil || v < least {
		t.Errorf("Get = %d, %v, want at least %d", v, err, least)
	}
}

// TestRefreshThatCannotBe: of a group without a loader, by one who cannot wait, and on
// a node that closed.
func TestRefreshThatCannotBe(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := newMesh(t, 2), newGate()
		plain := groupOn[string](m, "plain", nil, cachemesh.GroupOptions[string]{})[0]
		if _, ok := errors.AsType[*cachemesh.OptionError](plain.Refresh(ctx, "k")); !ok {
			t.Error("Refresh of a group without a loader is no OptionError")
		}
		groups := groupOn(m, "g", gate.load, cachemesh.GroupOptions[string]{})
		key := m.keyOf("g", 1)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := groups[0].Refresh(short, key); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Refresh = %v", err)
		}
		loading := <-gate.entered
		synctest.Wait()
		if loading.Err() == nil {
			t.Error("the load goes on, though nobody waits")
		}
		m.nodes[0].Close()
		if err := groups[0].Refresh(ctx, key); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Refresh on a closed node = %v", err)
		}
	})
}
