package owner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// wantStale checks a value that comes with a StaleError which says all it should.
func wantStale(t *testing.T, who, key, v string, err error, age time.Duration) {
	t.Helper()
	stale, ok := errors.AsType[*cachemesh.StaleError](err)
	if !ok || v != "old" {
		t.Fatalf("%s: %q, %v, want the old value and a StaleError", who, v, err)
	}
	le, ok := errors.AsType[*cachemesh.LoadError](err)
	if !ok || le.Member != "node0" || le.Key != key || !errors.Is(err, kit.ErrOrigin) || errors.Is(err, context.Canceled) {
		t.Errorf("%s: %v wraps %v, want a LoadError of node0 with the sentinel", who, err, le)
	}
	if stale.Group != "g" || stale.Key != key || stale.Age < age || stale.Age > age+10*time.Millisecond {
		t.Errorf("%s: group %q, key %q, age %v, want g, %q, %v", who, stale.Group, stale.Key, stale.Age, key, age)
	}
	if !strings.Contains(err.Error(), "query 7: the database is down") || strings.Count(err.Error(), "loader of group") != 1 {
		t.Errorf("%s: %v", who, err)
	}
}

func TestStaleOnErrorReachesEveryone(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := kit.New(t, 3), &kit.Table{}
		groups := kit.GroupOn(m, "g", func(ctx context.Context, key string) (string, error) {
			v, err := tb.Load(ctx, key)
			if errors.Is(err, kit.ErrOrigin) {
				err = fmt.Errorf("query 7: %w", err)
			}
			return v, err
		}, cachemesh.GroupOptions[string]{TTL: time.Second, StaleFor: time.Minute, HotReads: 1, Errors: []error{kit.ErrOrigin}})
		key := m.KeyOf("g", 0)
		tb.Set("old")
		for _, g := range groups {
			kit.MustGet(t, g, key, "old")
		}
		start := time.Now()
		tb.Fails.Store(true)
		time.Sleep(30 * time.Second)
		for i, g := range groups {
			age := time.Since(start) - time.Second
			v, err := g.Get(ctx, key)
			wantStale(t, fmt.Sprintf("Get on node%d", i), key, v, err, age)
			// Among keys that have nothing to fall back on.
			many, err := g.GetMany(ctx, []string{key, "other"})
			failed, _ := errors.AsType[cachemesh.KeyErrors](err)
			if _, ok := errors.AsType[*cachemesh.StaleError](failed["other"]); ok || len(many) != 1 || len(failed) != 2 {
				t.Errorf("node%d: GetMany = %v, %v, want one stale value", i, many, err)
			}
			wantStale(t, fmt.Sprintf("GetMany on node%d", i), key, many[key], failed[key], age)
		}
		if s := groups[0].Stats(); s.StaleServed < 6 {
			t.Errorf("StaleServed = %d, want at least 6", s.StaleServed)
		}
		tb.Fails.Store(false)
		tb.Set("new")
		time.Sleep(10 * time.Second) // the backoff
		for _, g := range groups {
			g.Get(ctx, key) // may be stale still, and asks for a load
		}
		time.Sleep(10 * time.Millisecond)
		for _, g := range groups {
			kit.MustGet(t, g, key, "new")
		}
		// After the grace nothing is left.
		tb.Fails.Store(true)
		time.Sleep(time.Minute + time.Second)
		for i, g := range groups {
			if v, err := g.Get(ctx, key); v != "" || !errors.Is(err, kit.ErrOrigin) {
				t.Errorf("node%d after the grace: %q, %v", i, v, err)
			}
		}
	})
}

// TestOutage is an origin that fails for half a minute, at once or by hanging.
func TestOutage(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		t.Run(fmt.Sprintf("hangs=%t", hangs), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) { outage(t, ctx, hangs) })
		})
	}
}

func outage(t *testing.T, ctx context.Context, hangs bool) {
	const keys, loadTimeout = 20, 2 * time.Second
	m := kit.New(t, 3)
	var down atomic.Bool
	var attempts atomic.Int64
	groups := kit.GroupOn(m, "g", func(ctx context.Context, key string) (string, error) {
		if !down.Load() {
			return "value of " + key, nil
		}
		attempts.Add(1)
		if hangs {
			<-ctx.Done()
			return "", ctx.Err()
		}
		return "", kit.ErrOrigin
	}, cachemesh.GroupOptions[string]{TTL: 5 * time.Second, RefreshAfter: 2 * time.Second, StaleFor: time.Minute, LoadTimeout: loadTimeout})
	var gets, failed, stale, waited atomic.Int64
	read := func(d time.Duration) {
		var all sync.WaitGroup
		for _, g := range groups {
			for k := range keys {
				all.Go(func() {
					for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
						start, key := time.Now(), fmt.Sprint("key", k)
						v, err := g.Get(ctx, key)
						gets.Add(1)
						if _, ok := errors.AsType[*cachemesh.StaleError](err); ok {
							stale.Add(1)
						} else if err != nil {
							failed.Add(1)
						}
						if v != "value of "+key {
							t.Errorf("Get(%q) = %q, %v", key, v, err)
						}
						if time.Since(start) > 100*time.Millisecond {
							waited.Add(1)
						}
					}
				})
			}
		}
		all.Wait()
	}
	read(4 * time.Second)
	down.Store(true)
	read(30 * time.Second)
	down.Store(false)
	n := attempts.Load()
	t.Logf("30 s of outage: %d Gets of %d keys, %d failed, %d stale, %d waited for a load, %d attempts to load (%.1f a key)",
		gets.Load(), keys, failed.Load(), stale.Load(), waited.Load(), n, float64(n)/keys)
	if failed.Load() != 0 || stale.Load() == 0 {
		t.Errorf("%d Gets failed, %d were stale", failed.Load(), stale.Load())
	}
	// 0.1 s, doubled up to 10 s: nine or ten times in 30 s.
	if n < 2*keys || n > 11*keys {
		t.Errorf("%d attempts to load %d keys", n, keys)
	}
	if hangs && waited.Load() > 0 {
		t.Errorf("%d Gets waited for a loader that hangs, though a refresh had told before", waited.Load())
	}
	read(15 * time.Second)
	before := stale.Load()
	read(5 * time.Second)
	if stale.Load() != before || failed.Load() != 0 {
		t.Errorf("the origin is well for 15 s, and %d Gets of the next 5 s were stale, %d failed", stale.Load()-before, failed.Load())
	}
}

// TestStaleIsNeverOlderThanWhatWasRead: a value that was loaded but could not be
// kept leaves nothing older to fall back on.
func TestStaleIsNeverOlderThanWhatWasRead(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := kit.New(t, 2), &kit.Table{}
		groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{StaleFor: time.Hour, MaxBytes: 1 << 20, TTLFunc: func(_, v string) time.Duration {
			if v == "not kept" {
				return -1
			}
			return time.Second
		}})
		for i, newer := range []string{"not kept", strings.Repeat("x", 1<<20)} {
			key := m.KeysOf("g", 0, 2)[i]
			tb.Fails.Store(false)
			tb.Set("old")
			kit.MustGet(t, groups[1], key, "old")
			time.Sleep(2 * time.Second)
			tb.Set(newer)
			kit.MustGet(t, groups[1], key, newer)
			tb.Fails.Store(true)
			time.Sleep(time.Second)
			if v, err := groups[1].Get(ctx, key); v != "" || err == nil {
				t.Errorf("Get = %q, %v after a newer value was read", v, err)
			}
		}
	})
}

// TestWritesEndStaleValues: what was deleted or set is not fallen back on.
func TestWritesEndStaleValues(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := kit.New(t, 2), &kit.Table{}
		groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{TTL: time.Second, StaleFor: time.Hour})
		for i, how := range []string{"Delete", "Clear", "Set"} {
			key := m.KeysOf("g", 0, 3)[i]
			tb.Fails.Store(false)
			tb.Set("old")
			kit.MustGet(t, groups[1], key, "old")
			time.Sleep(2 * time.Second)
			tb.Fails.Store(true)
			if v, err := groups[1].Get(ctx, key); v != "old" || err == nil {
				t.Fatalf("%s: Get = %q, %v, want the old value and an error", how, v, err)
			}
			want := ""
			switch how {
			case "Delete":
				kit.Must(t, groups[1].Delete(ctx, key))
			case "Clear":
				kit.Must(t, groups[1].Clear(ctx))
			default:
				want = "set"
				kit.Must(t, groups[1].Set(ctx, key, want, 0))
				time.Sleep(2 * time.Second)
			}
			for _, g := range groups {
				if v, err := g.Get(ctx, key); v != want || err == nil {
					t.Errorf("%s: Get = %q, %v, want %q and an error", how, v, err, want)
				}
			}
		}
	})
}
