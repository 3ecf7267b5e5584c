package store_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// Times here are of a bubble: they are exact.

func TestExpiryIsExact(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1}) // a Set of several takes its time first
		const ttl = 30 * time.Second
		for owner := range 2 {
			for setter := range 2 {
				key := m.KeyOf("g", owner)
				kit.Must(t, groups[setter].Set(ctx, key, "v", ttl))
				time.Sleep(ttl - 1)
				for _, g := range groups {
					kit.MustGet(t, g, key, "v")
				}
				time.Sleep(time.Nanosecond)
				for i, g := range groups {
					if v, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
						t.Errorf("owner %d, setter %d: Get on node%d after its TTL = %q, %v", owner, setter, i, v, err)
					}
				}
			}
		}
	})
}

// TestExpiryOfHotCopies reads a value often while its TTL ends: a copy on
// another member may not outlive it.
func TestExpiryOfHotCopies(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		const latency, ttl = 100 * time.Millisecond, 2 * time.Second
		m.Net.SetLatency(latency, latency) // a clock that begins with the answer is as late
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{HotReads: 1, Replicas: 1})
		key := m.KeyOf("g", 0)
		kit.Must(t, groups[0].Set(ctx, key, "v", ttl))
		set := time.Now()
		for {
			began := time.Now()
			v, err := groups[1].Get(ctx, key)
			if errors.Is(err, cachemesh.ErrNotFound) {
				break
			}
			kit.Must(t, err)
			if began.Sub(set) >= ttl {
				t.Fatalf("Get that began %v after the Set returned %q; the TTL is %v", began.Sub(set), v, ttl)
			}
			time.Sleep(time.Millisecond)
		}
		if lived := time.Since(set); lived < ttl-2*latency {
			t.Errorf("not found after %v, the TTL is %v", lived, ttl)
		}
		s := groups[1].Stats()
		if s.HotHits < s.Gets/2 {
			t.Errorf("%d of %d Gets were hot hits: the test tests nothing", s.HotHits, s.Gets)
		}
		t.Logf("%d Gets, %d from hot copies, none after the TTL", s.Gets, s.HotHits)
	})
}

func TestReplacedEntryTakesTheNewExpiry(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{TTL: 5 * time.Second, Replicas: 1})
		for owner := range 2 {
			key := m.KeyOf("g", owner)
			kit.Must(t, groups[0].Set(ctx, key, "short", time.Second))
			kit.Must(t, groups[1].Set(ctx, key, "long", time.Minute))
			time.Sleep(30 * time.Second)
			kit.MustGet(t, groups[0], key, "long")
			kit.Must(t, groups[1].Set(ctx, key, "short", time.Second))
			time.Sleep(time.Second)
			if _, err := groups[0].Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("a shorter TTL did not replace a longer one: %v", err)
			}
			kit.Must(t, groups[0].Set(ctx, key, "default", 0))
			time.Sleep(5*time.Second - 1)
			kit.MustGet(t, groups[1], key, "default")
			time.Sleep(time.Nanosecond)
			if _, err := groups[1].Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("the group's TTL did not end: %v", err)
			}
		}
	})
}

func TestTTLFunc(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		var loads atomic.Int64
		groups := kit.GroupOn(m, "g", func(_ context.Context, key string) (time.Duration, error) {
			loads.Add(1)
			return 10 * time.Second, nil
		}, cachemesh.GroupOptions[time.Duration]{
			TTL:     time.Second, // TTLFunc counts instead
			TTLFunc: func(_ string, v time.Duration) time.Duration { return v },
		})
		for owner := range 2 {
			key := m.KeyOf("g", owner)
			loads.Store(0)
			kit.MustGet(t, groups[0], key, 10*time.Second)
			time.Sleep(10*time.Second - 1)
			kit.MustGet(t, groups[1], key, 10*time.Second)
			if loads.Load() != 1 {
				t.Errorf("%d loads before the TTL of the value ended, want 1", loads.Load())
			}
			time.Sleep(time.Nanosecond)
			kit.MustGet(t, groups[1], key, 10*time.Second)
			if loads.Load() != 2 {
				t.Errorf("%d loads after the TTL of the value ended, want 2", loads.Load())
			}
			// A TTL of the call's own comes first; without one TTLFunc counts.
			kit.Must(t, groups[0].Set(ctx, key, 3*time.Second, time.Minute))
			time.Sleep(30 * time.Second)
			kit.MustGet(t, groups[1], key, 3*time.Second)
			kit.Must(t, groups[0].Set(ctx, key, 3*time.Second, 0))
			time.Sleep(3 * time.Second)
			kit.MustGet(t, groups[1], key, 10*time.Second)
		}
	})
}

// TestTTLThatHasEndedIsNotKept loads values whose TTL is over when they arrive:
// they are returned and not kept, and in particular not for ever.
func TestTTLThatHasEndedIsNotKept(t *testing.T) {
	for _, ttl := range []time.Duration{0, -1, math.MinInt64} {
		for _, jitter := range []float64{0, 1} {
			t.Run(fmt.Sprintf("%d, jitter %v", ttl, jitter), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) { testNotKept(t, ctx, ttl, jitter) })
			})
		}
	}
}

func testNotKept(t *testing.T, ctx context.Context, ttl time.Duration, jitter float64) {
	m := kit.New(t, 2)
	var loads atomic.Int64
	groups := kit.GroupOn(m, "g", func(context.Context, string) (int, error) {
		return int(loads.Add(1)), nil
	}, cachemesh.GroupOptions[int]{TTL: time.Hour, TTLJitter: jitter, TTLFunc: func(_ string, v int) time.Duration {
		if v == 1000 {
			return time.Minute
		}
		return ttl
	}})
	for owner := range 2 {
		key := m.KeyOf("g", owner)
		loads.Store(0)
		for i := range 10 {
			kit.MustGet(t, groups[i%2], key, i+1)
		}
		// A value that is not to be kept also ends the one before it.
		kit.Must(t, groups[0].Set(ctx, key, 1000, 0))
		kit.MustGet(t, groups[1], key, 1000)
		kit.Must(t, groups[1].Set(ctx, key, -5, 0))
		kit.MustGet(t, groups[0], key, 11)
	}
}

// TestForever keeps values for ever in each way there is to say so, and for as good
// as ever.
func TestForever(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		forever := func(string, string) time.Duration { return cachemesh.Forever }
		for name, o := range map[string]cachemesh.GroupOptions[string]{
			"no TTL":              {},
			"TTL":                 {TTL: cachemesh.Forever},
			"TTL and jitter":      {TTL: cachemesh.Forever, TTLJitter: 1},
			"TTLFunc":             {TTL: time.Second, TTLFunc: forever},
			"TTLFunc, jitter":     {TTLJitter: 1, TTLFunc: forever},
			"refreshed":           {RefreshAfter: cachemesh.Forever - 1, TTL: cachemesh.Forever, StaleFor: cachemesh.Forever, NotFoundTTL: cachemesh.Forever},
			"all but for ever":    {RefreshAfter: cachemesh.Forever - 2, TTL: cachemesh.Forever - 1, StaleFor: cachemesh.Forever - 1, NotFoundTTL: cachemesh.Forever - 1},
			"load for ever":       {LoadTimeout: cachemesh.Forever, RefreshAfter: cachemesh.Forever - 1, StaleFor: time.Hour, TTL: cachemesh.Forever},
			"refreshed, no TTL":   {RefreshAfter: cachemesh.Forever},
			"almost, with jitter": {TTL: cachemesh.Forever - 1, TTLJitter: 0.5},
		} {
			testForever(t, ctx, m, name, o)
		}
	})
}

func testForever(t *testing.T, ctx context.Context, m *kit.Mesh, name string, o cachemesh.GroupOptions[string]) {
	var loads atomic.Int64
	groups := kit.GroupOn(m, name, func(ctx context.Context, key string) (string, error) {
		loads.Add(1)
		if key == "none" {
			return "", cachemesh.ErrNotFound
		}
		return "v", nil
	}, o)
	want := int64(2)
	for range 2 {
		for owner := range 2 {
			for _, g := range groups {
				for range 5 {
					kit.MustGet(t, g, m.KeyOf(name, owner), "v")
				}
			}
		}
		if o.NotFoundTTL > 0 {
			want = 3
			if _, err := groups[0].Get(ctx, "none"); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("%s: %v, want ErrNotFound", name, err)
			}
		}
		time.Sleep(time.Minute)
	}
	if loads.Load() != want {
		t.Errorf("%s: %d loads, want %d", name, loads.Load(), want)
	}
	kit.Must(t, groups[1].Set(ctx, m.KeyOf(name, 0), "set", cachemesh.Forever))
	time.Sleep(time.Minute)
	kit.MustGet(t, groups[0], m.KeyOf(name, 0), "set")
}

// TestTTLAcrossASlowLink measures a TTL across a slow link: it must not
// end later at the owner than the caller wanted, nor depend on clocks.
func TestTTLAcrossASlowLink(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		key := m.KeyOf("g", 0)
		m.Net.SetLatency(100*time.Millisecond, 100*time.Millisecond)
		began := time.Now()
		kit.Must(t, groups[1].Set(ctx, key, "v", time.Second))
		var end time.Time
		for end.IsZero() {
			if _, err := groups[0].Get(ctx, key); errors.Is(err, cachemesh.ErrNotFound) {
				end = time.Now()
			}
			time.Sleep(time.Millisecond)
		}
		if lived := end.Sub(began); lived < time.Second || lived > 1210*time.Millisecond {
			t.Errorf("lived %v from when Set was called, want 1s and at most a round trip more", lived)
		}
		synctest.Wait()
	})
}

func TestTTLThatNeverEnds(t *testing.T) {
	m := kit.New(t, 2)
	groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	for owner := range 2 {
		key := m.KeyOf("g", owner)
		for i, g := range groups {
			v := fmt.Sprint("set on ", i)
			kit.Must(t, g.Set(kit.Context(t), key, v, 1<<63-1))
			for _, reader := range groups {
				for range 10 { // also as a hot copy
					kit.MustGet(t, reader, key, v)
				}
			}
		}
	}
}
