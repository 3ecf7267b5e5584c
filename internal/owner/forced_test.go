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

// TestRefresh loads keys again that everybody has hot copies of.
func TestRefresh(t *testing.T) {
	for _, many := range []bool{false, true} {
		for _, failureTTL := range []time.Duration{0, time.Hour} {
			t.Run(fmt.Sprint("LoadMany=", many, "/FailureTTL=", failureTTL), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m, tb := kit.New(t, 3), &kit.Table{}
					var calls atomic.Int64
					o := cachemesh.GroupOptions[string]{HotReads: 1, FailureTTL: failureTTL, Errors: []error{kit.ErrOrigin}}
					if many {
						o.LoadMany = func(ctx context.Context, keys []string) (map[string]string, error) {
							calls.Add(1)
							values := make(map[string]string)
							for _, key := range keys {
								v, err := tb.Load(ctx, key)
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
					groups := kit.GroupOn(m, "g", tb.Load, o)
					keys := append(append(m.KeysOf("g", 0, 3), m.KeysOf("g", 1, 3)...), m.KeysOf("g", 2, 3)...)
					look := func(want string) {
						t.Helper()
						for _, key := range keys {
							for range 3 {
								for _, g := range groups {
									kit.MustGet(t, g, key, want)
								}
							}
						}
					}
					tb.Set("old")
					look("old")
					tb.Set("new")
					look("old")
					calls.Store(0)
					kit.Must(t, groups[0].Refresh(ctx, append(keys, keys...)...))
					look("new")
					if n := calls.Load(); many && n != 3 {
						t.Errorf("%d calls of LoadMany for keys of three owners", n)
					}
					tb.Fails.Store(true)
					err := groups[1].Refresh(ctx, append(keys, "")...)
					failed, _ := errors.AsType[cachemesh.KeyErrors](err)
					if len(failed) != len(keys)+1 || !errors.Is(failed[""], cachemesh.ErrInvalidKey) {
						t.Errorf("Refresh while the origin is down: %v", err)
					}
					for _, key := range keys {
						if le, ok := errors.AsType[*cachemesh.LoadError](failed[key]); !ok || !errors.Is(le, kit.ErrOrigin) || le.Key != key {
							t.Errorf("%q: %v", key, failed[key])
						}
					}
					look("new") // it was kept
					tb.Fails.Store(false)
					tb.Row.Store(nil)
					kit.Must(t, groups[2].Refresh(ctx, keys...))
					for _, g := range groups {
						kit.WantNotFound(t, g, keys[0])
					}
					tb.Set("again") // of keys that have nothing
					kit.Must(t, groups[0].Refresh(ctx, keys...))
					n := tb.Loads.Load()
					look("again")
					if tb.Loads.Load() != n {
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
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m, o := kit.New(t, 2), &slowOrigin{takes: 100 * time.Millisecond}
			groups := kit.GroupOn(m, "g", o.load, cachemesh.GroupOptions[int64]{})
			key := m.KeyOf("g", owner)
			var all sync.WaitGroup
			all.Go(func() { kit.MustGet(t, groups[1], key, 0) })
			time.Sleep(50 * time.Millisecond) // it has read the row
			o.version.Store(1)
			for range 10 {
				all.Go(func() {
					kit.Must(t, groups[0].Refresh(ctx, key))
					kit.MustGet(t, groups[1], key, 1)
				})
			}
			all.Wait()
			if n := o.Entered.Load(); n != 2 {
				t.Errorf("%d loads, want that of the Get and one for ten Refreshes", n)
			}
		})
	}
}

// TestRefreshNeverUndoesAWrite, with and without a Writer, and does not go back in
// time for readers of hot copies.
func TestRefreshNeverUndoesAWrite(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3, kit.SlowInvalidations(20*time.Millisecond))
		var row atomic.Int64
		groups := kit.GroupOn(m, "g", func(context.Context, string) (int, error) {
			v := row.Load()
			time.Sleep(5 * time.Millisecond)
			return int(v), nil
		}, cachemesh.GroupOptions[int]{HotReads: 1})
		key := m.KeyOf("g", 0)
		var all sync.WaitGroup
		for i, g := range groups {
			all.Go(func() {
				for range 40 {
					time.Sleep(time.Duration(37+11*i) * time.Millisecond)
					kit.Must(t, g.Refresh(ctx, key))
				}
			})
		}
		all.Go(func() {
			for v := range 40 {
				time.Sleep(61 * time.Millisecond)
				row.Store(int64(v + 1))
				if v%2 == 0 {
					kit.Must(t, groups[1].Set(ctx, key, v+1, 0))
				} else {
					kit.Must(t, groups[2].Delete(ctx, key))
				}
				mustGetAtLeast(t, groups[v%3], key, v+1)
			}
		})
		kit.WatchAll(t, ctx, groups, key, 4*time.Second)
		all.Wait()
	})
}

func mustGetAtLeast(t *testing.T, g *cachemesh.Group[int], key string, least int) {
	if v, err := g.Get(kit.Context(t), key); err != nil || v < least {
		t.Errorf("Get = %d, %v, want at least %d", v, err, least)
	}
}

// TestRefreshThatCannotBe: of a group without a loader, by one who cannot wait, and on
// a node that closed.
func TestRefreshThatCannotBe(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := kit.New(t, 2), kit.NewGate()
		plain := kit.GroupOn[string](m, "plain", nil, cachemesh.GroupOptions[string]{Replicas: 1})[0]
		if _, ok := errors.AsType[*cachemesh.OptionError](plain.Refresh(ctx, "k")); !ok {
			t.Error("Refresh of a group without a loader is no OptionError")
		}
		groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 1)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := groups[0].Refresh(short, key); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Refresh = %v", err)
		}
		loading := <-gate.Entered
		synctest.Wait()
		if loading.Err() == nil {
			t.Error("the load goes on, though nobody waits")
		}
		m.Nodes[0].Close()
		if err := groups[0].Refresh(ctx, key); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Refresh on a closed node = %v", err)
		}
	})
}
