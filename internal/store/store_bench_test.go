package store

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dgraph-io/ristretto/v2"
)

// benchKeys are the sizes of the working sets: one that fits the CPU's caches,
// and one that does not.
var benchKeys = []int{10_000, 100_000}

const benchData = 128

// fullStore is a store that made its choice of engine and holds n entries.
func fullStore(b *testing.B, engine string, n int) (*Store, []string, []uint64) {
	b.Helper()
	keys, hashes := testKeys(n)
	s := newEngine(b, engine, Options{MaxBytes: max(int64(n)*800, keeperFrom)})
	for i, key := range keys {
		mustSet(b, s, hashes[i], &Entry{Key: key, Data: make([]byte, benchData)}, 0)
	}
	for i, key := range keys {
		if s.Get(hashes[i], key, 0) == nil {
			b.Fatalf("key %d of %d was given up", i, n)
		}
	}
	if s.clock == (s.keeper.Load() != nil) {
		b.Fatal("the window never overflowed")
	}
	for i := range keys {
		keys[i] = strings.Clone(keys[i]) // else comparing keys would be comparing pointers
	}
	return s, keys, hashes
}

// bareRistretto is a ristretto that holds n values, by hash, as the store does.
func bareRistretto(b *testing.B, n int) (*ristretto.Cache[uint64, []byte], []uint64) {
	b.Helper()
	_, hashes := testKeys(n)
	c, err := ristretto.NewCache(&ristretto.Config[uint64, []byte]{
		NumCounters: int64(10 * n), MaxCost: int64(1000 * n), BufferItems: 64,
		KeyToHash: func(hash uint64) (uint64, uint64) { return hash, 0 },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	for i, hash := range hashes {
		c.Set(hash, make([]byte, benchData), benchData)
		if i%1000 == 999 {
			c.Wait()
		}
	}
	c.Wait()
	return c, hashes
}

// BenchmarkGet measures hits, with the hash known, as it is to the callers. The
// store compares keys besides; ristretto is spared that.
func BenchmarkGet(b *testing.B) {
	for _, n := range benchKeys {
		for _, engine := range engines {
			b.Run(fmt.Sprintf("%s/keys=%d", engine, n), func(b *testing.B) {
				s, keys, hashes := fullStore(b, engine, n)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if s.Get(hashes[i], keys[i], 1) == nil {
						b.Fatal("miss")
					}
					if i++; i == n {
						i = 0
					}
				}
			})
		}
		b.Run(fmt.Sprintf("ristretto/keys=%d", n), func(b *testing.B) {
			c, keys := bareRistretto(b, n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := c.Get(keys[i]); !ok {
					b.Fatal("miss")
				}
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

func BenchmarkGetParallel(b *testing.B) {
	const n = 10_000
	for _, engine := range engines {
		b.Run(engine, func(b *testing.B) {
			s, keys, hashes := fullStore(b, engine, n)
			var start atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := int(start.Add(4321)) % n; pb.Next(); i = (i + 1) % n {
					if s.Get(hashes[i], keys[i], 1) == nil {
						b.Error("miss")
					}
				}
			})
		})
	}
	b.Run("ristretto", func(b *testing.B) {
		c, keys := bareRistretto(b, n)
		var start atomic.Int64
		b.ReportAllocs()
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for i := int(start.Add(4321)) % n; pb.Next(); i = (i + 1) % n {
				if _, ok := c.Get(keys[i]); !ok {
					b.Error("miss")
				}
			}
		})
	})
}

// BenchmarkSet measures replacing values while everything fits, and new keys
// that push old ones out. For ristretto a Set is done once Wait returned; "async"
// does not wait, and so does not promise that anything was stored.
func BenchmarkSet(b *testing.B) {
	const n = 10_000
	data := make([]byte, benchData)
	for _, engine := range engines {
		b.Run(engine+"/replace", func(b *testing.B) {
			s, keys, hashes := fullStore(b, engine, n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				mustSet(b, s, hashes[i], &Entry{Key: keys[i], Data: data}, 1)
				i = (i + 1) % n
			}
		})
		b.Run(engine+"/evict", func(b *testing.B) {
			s := newEngine(b, engine, Options{MaxBytes: keeperFrom})
			keys, hashes := testKeys(20 * n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				mustSet(b, s, hashes[i], &Entry{Key: keys[i], Data: data}, 1)
				i = (i + 1) % len(keys)
			}
		})
	}
	b.Run("ristretto/wait", func(b *testing.B) {
		c, keys := bareRistretto(b, n)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			c.Set(keys[i], data, benchData)
			c.Wait()
			i = (i + 1) % n
		}
	})
	b.Run("ristretto/async", func(b *testing.B) {
		c, keys := bareRistretto(b, n)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			c.Set(keys[i], data, benchData)
			i = (i + 1) % n
		}
	})
}

func BenchmarkSetParallel(b *testing.B) {
	for _, engine := range engines {
		b.Run(engine, func(b *testing.B) {
			s := newEngine(b, engine, Options{MaxBytes: keeperFrom})
			keys, hashes := testKeys(200_000)
			data := make([]byte, benchData)
			var start atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := int(start.Add(54321)) % len(keys); pb.Next(); i = (i + 1) % len(keys) {
					if err := s.Set(hashes[i], &Entry{Key: keys[i], Data: data}, 1); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
