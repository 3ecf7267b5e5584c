package hotcache

import (
	"fmt"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// filled returns a cache with copies of keys 0 to n-1 of 128 bytes, whose leases never end, and the keys. The keys
// returned lie elsewhere in memory than those of the copies, as a caller's do.
func filled(tb testing.TB, n int) (*Cache, []string) {
	tb.Helper()
	c := newCache(tb, Options{MaxBytes: 64 << 20})
	keys := make([]string, n)
	for i := range keys {
		keys[i] = keyName(i)
		e := &store.Entry{Key: keyName(i), Data: make([]byte, 128)}
		if !keepUntil(c.Begin(hashOf(i), e.Key), e, forever, 0) {
			tb.Fatalf("key %d of %d was not kept: %+v", i, n, c.Stats())
		}
	}
	return c, keys
}

var sink *store.Entry

func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1, 1000, 10_000} {
		c, keys := filled(b, n)
		bench := func(name string, get func(i int)) {
			b.Run(fmt.Sprintf("%s/keys=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					get(i)
					if i++; i == n {
						i = 0
					}
				}
			})
		}
		bench("hit", func(i int) { sink = c.Get(hashOf(i), keys[i], second) })
		bench("hit counted", func(i int) { sink, _ = c.Hit(hashOf(i), keys[i], second) })
		bench("miss", func(i int) { sink = c.Get(hashOf(i+n), "key-absent", second) })
	}
	b.Run("empty", func(b *testing.B) {
		c := newCache(b, Options{})
		b.ReportAllocs()
		for b.Loop() {
			sink = c.Get(hashOf(1), "key-absent", second)
		}
	})
}

func BenchmarkGetParallel(b *testing.B) {
	c, keys := filled(b, 1000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i = (i + 1) % len(keys) {
			if c.Get(hashOf(i), keys[i], second) == nil {
				b.Error("miss")
				return
			}
		}
	})
}

func BenchmarkTouch(b *testing.B) {
	for _, n := range []int{1, 1000, 1_000_000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			c := newCache(b, Options{})
			b.ReportAllocs()
			i, now := 0, int64(0)
			for b.Loop() {
				c.Touch(hashOf(i), now)
				now += 1000
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

func BenchmarkTouchParallel(b *testing.B) {
	c := newCache(b, Options{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		i, now := 0, int64(0)
		for pb.Next() {
			c.Touch(hashOf(i&1023), now)
			i, now = i+1, now+1000
		}
	})
}

// BenchmarkFetch measures the books of one fetch that renews a copy, its two allocations included.
func BenchmarkFetch(b *testing.B) {
	c, keys := filled(b, 1000)
	e := make([]*store.Entry, len(keys))
	for i := range e {
		e[i] = &store.Entry{Key: keys[i], Data: make([]byte, 128)}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if !keepUntil(c.Begin(hashOf(i), keys[i]), e[i], forever, second) {
			b.Fatal("not kept")
		}
		if i++; i == len(keys) {
			i = 0
		}
	}
}

// BenchmarkKeepFull measures a fetch whose copy pushes a live one out of a full cache, and the making of its entry.
func BenchmarkKeepFull(b *testing.B) {
	c := newCache(b, Options{MaxBytes: 1 << 20})
	data := make([]byte, 128)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		k := keyName(i)
		if !keepUntil(c.Begin(hashOf(i), k), &store.Entry{Key: k, Data: data}, forever, second) {
			b.Fatal("not kept")
		}
		i++
	}
}

func BenchmarkInvalidate(b *testing.B) {
	c, keys := filled(b, 1000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c.Invalidate(hashOf(i), 0)
		if i++; i == len(keys) {
			i = 0
		}
	}
}

// BenchmarkSweep measures a sweep of 10 000 live copies in a table of 32 768 sets.
func BenchmarkSweep(b *testing.B) {
	c, _ := filled(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		c.Sweep(second)
	}
}
