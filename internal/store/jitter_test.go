package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestJitterSpreadsExpiries loads 50 000 keys within a second and watches when
// they go.
func TestJitterSpreadsExpiries(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const keys, ttl = 50_000, time.Minute
		step := 100 * time.Millisecond
		if kit.Race { // looking is slow
			step *= 5
		}
		m := kit.New(t, 1)
		g := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{TTL: ttl, TTLJitter: 0.1, MaxBytes: 256 << 20,
			LoadMany: func(_ context.Context, keys []string) (map[string]string, error) {
				values := make(map[string]string, len(keys))
				for _, key := range keys {
					values[key] = "v"
				}
				return values, nil
			}})[0]
		start := time.Now()
		for part := range 10 {
			many := make([]string, keys/10)
			for i := range many {
				many[i] = fmt.Sprint("key", part, ".", i)
			}
			if values, err := g.GetMany(ctx, many); err != nil || len(values) != len(many) {
				t.Fatalf("%d values, %v", len(values), err)
			}
			time.Sleep(99 * time.Millisecond)
		}
		loading := time.Since(start)
		count := func() (n int) {
			for range g.All() {
				n++
			}
			return n
		}
		if n := count(); n != keys {
			t.Fatalf("%d of %d keys are there", n, keys)
		}
		var first, last time.Duration
		left, most := keys, 0
		time.Sleep(ttl*9/10 - time.Since(start) - step)
		for ; left > 0; time.Sleep(step) {
			n, at := count(), time.Since(start)
			if n < left && first == 0 {
				first = at
			}
			if n < left {
				last = at
			}
			most, left = max(most, left-n), n
		}
		t.Logf("%d keys loaded in %v: they expire from %v to %v, over %v, at most %d in %v", keys, loading, first, last, last-first, most, step)
		if last-first < 6*time.Second || last > ttl+loading+step {
			t.Errorf("they expire from %v to %v", first, last)
		}
		if even := keys * int(step) / int(6*time.Second); most > 2*even {
			t.Errorf("%d keys expire within %v, an even spread has %d", most, step, even)
		}
	})
}

// TestJitterShortensOnly, and does not touch what was Set with a TTL.
func TestJitterShortensOnly(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		var loads atomic.Int64
		groups := kit.GroupOn(m, "g", func(context.Context, string) (int64, error) { return loads.Add(1), nil },
			cachemesh.GroupOptions[int64]{TTLJitter: 1, TTLFunc: func(string, int64) time.Duration { return 10 * time.Second }})
		for i := range 1000 {
			key := fmt.Sprint("key", i)
			groups[0].Get(ctx, key)
			kit.Must(t, groups[0].Set(ctx, fmt.Sprint("set", i), -1, 10*time.Second))
		}
		time.Sleep(10*time.Second - 1)
		for i := range 1000 {
			kit.MustGet(t, groups[1], fmt.Sprint("set", i), -1)
		}
		time.Sleep(time.Nanosecond)
		for i, g := range groups {
			for key := range g.All() {
				t.Errorf("node%d has %q after its TTL", i, key)
			}
		}
	})
}
