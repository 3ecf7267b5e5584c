package origin_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestLoadManyOncePerOwner gets 100 cold keys over five members, alone and by
// many callers whose keys overlap.
func TestLoadManyOncePerOwner(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, b := kit.New(t, 5), &kit.Bulk{Takes: 20 * time.Millisecond}
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{LoadMany: b.LoadMany})
		keys := append(kit.Numbered("key", 90), kit.Numbered("missing", 10)...)
		values, err := groups[0].GetMany(ctx, keys)
		if err != nil || len(values) != 90 || values["key7"] != "value of key7" {
			t.Errorf("GetMany = %d values, %v, want 90", len(values), err)
		}
		b.WantOnce(t, 100)
		t.Logf("100 cold keys over 5 members: %d calls of LoadMany", len(b.Calls))
		if len(b.Calls) != 5 {
			t.Errorf("%d calls of LoadMany, want one per owner", len(b.Calls))
		}
	})
}

func TestOverlappingGetMany(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, b := kit.New(t, 5), &kit.Bulk{Takes: 200 * time.Millisecond}
		groups := kit.GroupOn(m, "g", b.Load, cachemesh.GroupOptions[string]{LoadMany: b.LoadMany})
		keys := kit.Numbered("key", 100)
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() { // 50 keys each, from everywhere; some single Gets
				g := groups[i%5]
				if i%10 == 9 {
					kit.MustGet(t, g, keys[i%100], "value of "+keys[i%100])
					return
				}
				mine := make([]string, 50)
				for k := range mine {
					mine[k] = keys[(i*7+k)%100]
				}
				values, err := g.GetMany(ctx, mine)
				if err != nil || len(values) != 50 {
					t.Errorf("%d values, %v", len(values), err)
				}
				for key, v := range values {
					if v != "value of "+key {
						t.Errorf("%q has %q", key, v)
					}
				}
			})
		}
		all.Wait()
		b.WantOnce(t, 100)
		t.Logf("1000 overlapping GetMany and Gets of 100 keys: %d calls of LoadMany, %d single loads", len(b.Calls), len(b.Singles))
	})
}

func TestLoadManyStandsInForTheLoader(t *testing.T) {
	m, b := kit.New(t, 2), &kit.Bulk{}
	groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{LoadMany: b.LoadMany})
	for i := range 10 {
		key := fmt.Sprint("key", i)
		kit.MustGet(t, groups[i%2], key, "value of "+key)
	}
	kit.WantNotFound(t, groups[0], "missing")
	b.WantOnce(t, 11)
}

// TestBatchWindow: single Gets that come within the window are loaded together.
func TestBatchWindow(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, b := kit.New(t, 3), &kit.Bulk{}
		groups := kit.GroupOn(m, "g", b.Load, cachemesh.GroupOptions[string]{LoadMany: b.LoadMany, BatchWindow: 2 * time.Millisecond})
		var all sync.WaitGroup
		start := time.Now()
		for i := range 3000 {
			all.Go(func() {
				key := fmt.Sprint("key", i%1500)
				kit.MustGet(t, groups[i%3], key, "value of "+key)
			})
		}
		all.Wait()
		b.WantOnce(t, 1500)
		t.Logf("3000 Gets of 1500 keys: %d calls of LoadMany, %d single loads, in %v", len(b.Calls), len(b.Singles), time.Since(start))
		if len(b.Calls) > 6 || len(b.Singles) != 0 {
			t.Errorf("%d calls of LoadMany and %d single loads, want at most 6 and none", len(b.Calls), len(b.Singles))
		}
		for _, call := range b.Calls {
			if len(call) > 1024 {
				t.Errorf("a call of LoadMany for %d keys", len(call))
			}
		}
		start = time.Now()
		kit.MustGet(t, groups[0], "alone", "value of alone")
		if took := time.Since(start); took != 2*time.Millisecond {
			t.Errorf("a single Get took %v, want the window", took)
		}
	})
}

// TestCalledOffBatchIsNotLoaded: when nobody waits any more at the end of the
// window, LoadMany is not called.
func TestCalledOffBatchIsNotLoaded(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, b := kit.New(t, 1), &kit.Bulk{}
		g := kit.GroupOn(m, "g", b.Load, cachemesh.GroupOptions[string]{LoadMany: b.LoadMany, BatchWindow: time.Second})[0]
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if _, err := g.Get(short, "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get = %v", err)
		}
		time.Sleep(2 * time.Second)
		if len(b.Calls) != 0 {
			t.Errorf("LoadMany was called for %v", b.Calls)
		}
		kit.MustGet(t, g, "k", "value of k")
	})
}

type contextKey struct{}

// TestLoadManyContext: it has the values of whoever asked, not the deadline, and
// ends when nobody waits for any key.
func TestLoadManyContext(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		loading := make(chan context.Context, 1)
		g := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{LoadMany: func(ctx context.Context, keys []string) (map[string]string, error) {
			loading <- ctx
			<-ctx.Done()
			return nil, ctx.Err()
		}})[0]
		first, cancelFirst := context.WithTimeout(context.WithValue(ctx, contextKey{}, "mine"), time.Second)
		defer cancelFirst()
		second, cancelSecond := context.WithCancel(ctx)
		var all sync.WaitGroup
		all.Go(func() { g.GetMany(first, []string{"a", "b"}) })
		loaded := <-loading
		if deadline, ok := loaded.Deadline(); loaded.Value(contextKey{}) != "mine" || !ok || time.Until(deadline) != 30*time.Second {
			t.Errorf("value %v, deadline in %v, want mine, LoadTimeout", loaded.Value(contextKey{}), time.Until(deadline))
		}
		all.Go(func() { g.Get(second, "b") })
		time.Sleep(2 * time.Second)
		if loaded.Err() != nil {
			t.Error("LoadMany was cancelled while somebody waited for a key")
		}
		cancelSecond()
		synctest.Wait()
		if loaded.Err() == nil {
			t.Error("LoadMany goes on though nobody waits")
		}
		all.Wait()
	})
}

// TestLoadManyOutcomes: each key has its own.
func TestLoadManyOutcomes(t *testing.T) {
	both := []string{"a", "b", "missing"}
	all := map[string]*int{"a": new(int), "b": new(int)}
	for _, test := range []struct {
		name   string
		many   func() (map[string]*int, error)
		values int
		failed []string
		panics bool
		text   string
	}{
		{name: "all there", many: func() (map[string]*int, error) { return all, nil }, values: 2},
		{name: "nil map", many: func() (map[string]*int, error) { return nil, nil }},
		{name: "not found", many: func() (map[string]*int, error) { return nil, cachemesh.ErrNotFound }},
		{name: "keys nobody asked for", many: func() (map[string]*int, error) {
			return map[string]*int{"a": new(int), "other": new(int)}, nil
		}, values: 1},
		{name: "error", many: func() (map[string]*int, error) { return nil, kit.ErrOrigin }, failed: both, text: "database"},
		{name: "partial", many: func() (map[string]*int, error) { return map[string]*int{"a": new(int)}, kit.ErrOrigin },
			values: 1, failed: []string{"b", "missing"}, text: "database"},
		{name: "nil value", many: func() (map[string]*int, error) { return map[string]*int{"a": nil, "b": new(int)}, nil },
			values: 1, failed: []string{"a"}, text: "nil"},
		{name: "nil value and error", many: func() (map[string]*int, error) { return map[string]*int{"a": nil}, cachemesh.ErrNotFound },
			failed: []string{"a"}, text: "nil"},
		{name: "panic", many: func() (map[string]*int, error) { panic("boom 7") }, failed: both, panics: true, text: "boom 7"},
		{name: "Goexit", many: func() (map[string]*int, error) { runtime.Goexit(); return nil, nil }, failed: both, text: "Goexit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := kit.New(t, 2)
			var calls atomic.Int64
			groups := kit.GroupOn[*int](m, "g", nil, cachemesh.GroupOptions[*int]{
				LoadMany: func(context.Context, []string) (map[string]*int, error) { calls.Add(1); return test.many() }})
			for i, g := range groups {
				values, err := g.GetMany(kit.Context(t), both)
				failed, _ := errors.AsType[cachemesh.KeyErrors](err)
				if len(values) != test.values || len(failed) != len(test.failed) {
					t.Fatalf("node%d: %v, %v; want %d values, %v failed", i, values, err, test.values, test.failed)
				}
				for _, key := range test.failed {
					le, ok := errors.AsType[*cachemesh.LoadError](failed[key])
					if !ok || le.Panic != test.panics || le.Key != key || !strings.Contains(le.Error(), test.text) {
						t.Errorf("node%d: %q: %v", i, key, failed[key])
					}
				}
			}
			for _, key := range both { // and alone
				_, err := groups[0].Get(kit.Context(t), key)
				if want := slices.Contains(test.failed, key); want == (err == nil || errors.Is(err, cachemesh.ErrNotFound)) {
					t.Errorf("Get(%q): %v, want to fail: %t", key, err, want)
				}
			}
		})
	}
}

// TestRefreshesOfOneGetManyAreOneCall of LoadMany for each owner: ahead of their TTL,
// beside keys that miss, and of stale values after a failed load.
func TestRefreshesOfOneGetManyAreOneCall(t *testing.T) {
	for _, how := range []string{"due", "due, and some miss", "stale"} {
		t.Run(how, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, b := kit.New(t, 2), &kit.Bulk{}
				var fails atomic.Bool
				o := cachemesh.GroupOptions[string]{TTL: time.Minute, RefreshAfter: time.Second, NoHotCopies: true,
					LoadMany: func(ctx context.Context, keys []string) (map[string]string, error) {
						values, err := b.LoadMany(ctx, keys)
						if fails.Load() {
							return nil, kit.ErrOrigin
						}
						return values, err
					}}
				if how == "stale" {
					o.TTL, o.RefreshAfter, o.StaleFor = time.Second, 0, time.Hour
				}
				groups := kit.GroupOn[string](m, "g", nil, o)
				keys := append(m.KeysOf("g", 0, 100), m.KeysOf("g", 1, 100)...)
				get := func(keys ...string) {
					t.Helper()
					values, err := groups[0].GetMany(ctx, keys)
					if len(values) != len(keys) || err != nil && how != "stale" {
						t.Fatalf("%d values, %v", len(values), err)
					}
				}
				get(keys...)
				time.Sleep(2 * time.Second)
				want := 2
				switch how {
				case "stale": // a load fails, and the next attempt is due
					fails.Store(true)
					get(keys...)
					time.Sleep(time.Second)
				case "due, and some miss":
					keys = append(keys, m.KeysOf("g", 0, 101)[100], m.KeysOf("g", 1, 101)[100])
					want = 4
				}
				b.Calls = nil
				get(keys...)
				synctest.Wait()
				t.Logf("GetMany of %d keys, 200 of them due for refresh: %d calls of LoadMany", len(keys), len(b.Calls))
				if len(b.Calls) != want {
					t.Errorf("%d calls of LoadMany, want %d", len(b.Calls), want)
				}
				fails.Store(false)
			})
		})
	}
}
