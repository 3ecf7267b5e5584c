package cachemesh_test

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
)

// A bulk is an origin that is asked for several keys at once.
type bulk struct {
	mu      sync.Mutex // guards the fields below
	calls   [][]string
	singles []string
	times   map[string]int // how often each key was loaded
	takes   time.Duration
}

func (b *bulk) note(keys ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.times == nil {
		b.times = make(map[string]int)
	}
	for _, key := range keys {
		b.times[key]++
	}
}

func (b *bulk) loadMany(_ context.Context, keys []string) (map[string]string, error) {
	b.note(keys...)
	b.mu.Lock()
	b.calls = append(b.calls, slices.Clone(keys))
	takes := b.takes
	b.mu.Unlock()
	time.Sleep(takes)
	values := make(map[string]string)
	for i, key := range keys {
		if !strings.HasPrefix(key, "missing") {
			values[key] = "value of " + key
		}
		keys[i] = "" // the slice is the loader's
	}
	return values, nil
}

func (b *bulk) load(_ context.Context, key string) (string, error) {
	b.note(key)
	b.mu.Lock()
	b.singles = append(b.singles, key)
	takes := b.takes
	b.mu.Unlock()
	time.Sleep(takes)
	return "value of " + key, nil
}

// wantOnce checks that each key was loaded exactly once.
func (b *bulk) wantOnce(t *testing.T, keys int) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.times) != keys {
		t.Errorf("%d keys were loaded, want %d", len(b.times), keys)
	}
	for key, n := range b.times {
		if n != 1 {
			t.Errorf("%q was loaded %d times", key, n)
		}
	}
}

func numbered(prefix string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint(prefix, i)
	}
	return keys
}

// TestLoadManyOncePerOwner gets 100 cold keys over five members, alone and by
// many callers whose keys overlap.
func TestLoadManyOncePerOwner(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, b := newMesh(t, 5), &bulk{takes: 20 * time.Millisecond}
		groups := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{LoadMany: b.loadMany})
		keys := append(numbered("key", 90), numbered("missing", 10)...)
		values, err := groups[0].GetMany(ctx, keys)
		if err != nil || len(values) != 90 || values["key7"] != "value of key7" {
			t.Errorf("GetMany = %d values, %v, want 90", len(values), err)
		}
		b.wantOnce(t, 100)
		t.Logf("100 cold keys over 5 members: %d calls of LoadMany", len(b.calls))
		if len(b.calls) != 5 {
			t.Errorf("%d calls of LoadMany, want one per owner", len(b.calls))
		}
	})
}

func TestOverlappingGetMany(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, b := newMesh(t, 5), &bulk{takes: 200 * time.Millisecond}
		groups := groupOn(m, "g", b.load, cachemesh.GroupOptions[string]{LoadMany: b.loadMany})
		keys := numbered("key", 100)
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() { // 50 keys each, from everywhere; some single Gets
				g := groups[i%5]
				if i%10 == 9 {
					mustGet(t, g, keys[i%100], "value of "+keys[i%100])
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
		b.wantOnce(t, 100)
		t.Logf("1000 overlapping GetMany and Gets of 100 keys: %d calls of LoadMany, %d single loads", len(b.calls), len(b.singles))
	})
}

func TestLoadManyStandsInForTheLoader(t *testing.T) {
	m, b := newMesh(t, 2), &bulk{}
	groups := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{LoadMany: b.loadMany})
	for i := range 10 {
		key := fmt.Sprint("key", i)
		mustGet(t, groups[i%2], key, "value of "+key)
	}
	wantNotFound(t, groups[0], "missing")
	b.wantOnce(t, 11)
}

// TestBatchWindow: single Gets that come within the window are loaded together.
func TestBatchWindow(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, b := newMesh(t, 3), &bulk{}
		groups := groupOn(m, "g", b.load, cachemesh.GroupOptions[string]{LoadMany: b.loadMany, BatchWindow: 2 * time.Millisecond})
		var all sync.WaitGroup
		start := time.Now()
		for i := range 3000 {
			all.Go(func() {
				key := fmt.Sprint("key", i%1500)
				mustGet(t, groups[i%3], key, "value of "+key)
			})
		}
		all.Wait()
		b.wantOnce(t, 1500)
		t.Logf("3000 Gets of 1500 keys: %d calls of LoadMany, %d single loads, in %v", len(b.calls), len(b.singles), time.Since(start))
		if len(b.calls) > 6 || len(b.singles) != 0 {
			t.Errorf("%d calls of LoadMany and %d single loads, want at most 6 and none", len(b.calls), len(b.singles))
		}
		for _, call := range b.calls {
			if len(call) > 1024 {
				t.Errorf("a call of LoadMany for %d keys", len(call))
			}
		}
		start = time.Now()
		mustGet(t, groups[0], "alone", "value of alone")
		if took := time.Since(start); took != 2*time.Millisecond {
			t.Errorf("a single Get took %v, want the window", took)
		}
	})
}

// TestCalledOffBatchIsNotLoaded: when nobody waits any more at the end of the
// window, LoadMany is not called.
func TestCalledOffBatchIsNotLoaded(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, b := newMesh(t, 1), &bulk{}
		g := groupOn(m, "g", b.load, cachemesh.GroupOptions[string]{LoadMany: b.loadMany, BatchWindow: time.Second})[0]
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if _, err := g.Get(short, "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get = %v", err)
		}
		time.Sleep(2 * time.Second)
		if len(b.calls) != 0 {
			t.Errorf("LoadMany was called for %v", b.calls)
		}
		mustGet(t, g, "k", "value of k")
	})
}

type contextKey struct{}

// TestLoadManyContext: it has the values of whoever asked, not the deadline, and
// ends when nobody waits for any key.
func TestLoadManyContext(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		loading := make(chan context.Context, 1)
		g := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{LoadMany: func(ctx context.Context, keys []string) (map[string]string, error) {
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
		{name: "error", many: func() (map[string]*int, error) { return nil, errSentinel }, failed: both, text: "database"},
		{name: "partial", many: func() (map[string]*int, error) { return map[string]*int{"a": new(int)}, errSentinel },
			values: 1, failed: []string{"b", "missing"}, text: "database"},
		{name: "nil value", many: func() (map[string]*int, error) { return map[string]*int{"a": nil, "b": new(int)}, nil },
			values: 1, failed: []string{"a"}, text: "nil"},
		{name: "nil value and error", many: func() (map[string]*int, error) { return map[string]*int{"a": nil}, cachemesh.ErrNotFound },
			failed: []string{"a"}, text: "nil"},
		{name: "panic", many: func() (map[string]*int, error) { panic("boom 7") }, failed: both, panics: true, text: "boom 7"},
		{name: "Goexit", many: func() (map[string]*int, error) { runtime.Goexit(); return nil, nil }, failed: both, text: "Goexit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMesh(t, 2)
			var calls atomic.Int64
			groups := groupOn[*int](m, "g", nil, cachemesh.GroupOptions[*int]{
				LoadMany: func(context.Context, []string) (map[string]*int, error) { calls.Add(1); return test.many() }})
			for i, g := range groups {
				values, err := g.GetMany(testContext(t), both)
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
				_, err := groups[0].Get(testContext(t), key)
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
			bubble(t, func(t *testing.T, ctx context.Context) {
				m, b := newMesh(t, 2), &bulk{}
				var fails atomic.Bool
				o := cachemesh.GroupOptions[string]{TTL: time.Minute, RefreshAfter: time.Second, NoHotCopies: true,
					LoadMany: func(ctx context.Context, keys []string) (map[string]string, error) {
						values, err := b.loadMany(ctx, keys)
						if fails.Load() {
							return nil, errSentinel
						}
						return values, err
					}}
				if how == "stale" {
					o.TTL, o.RefreshAfter, o.StaleFor = time.Second, 0, time.Hour
				}
				groups := groupOn[string](m, "g", nil, o)
				keys := append(m.keysOf("g", 0, 100), m.keysOf("g", 1, 100)...)
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
					keys = append(keys, m.keysOf("g", 0, 101)[100], m.keysOf("g", 1, 101)[100])
					want = 4
				}
				b.calls = nil
				get(keys...)
				synctest.Wait()
				t.Logf("GetMany of %d keys, 200 of them due for refresh: %d calls of LoadMany", len(keys), len(b.calls))
				if len(b.calls) != want {
					t.Errorf("%d calls of LoadMany, want %d", len(b.calls), want)
				}
				fails.Store(false)
			})
		})
	}
}
