package store

import (
	"container/list"
	"math"
	"math/rand"
	"sort"
	"testing"
)

// lru is a least-recently-used cache of the same sizes, to compare with.
type lru struct {
	room, used int64
	byKey      map[int]*list.Element
	order      list.List // of lruEntry, newest first
}

type lruEntry struct {
	key  int
	size int64
}

func (c *lru) get(key int) bool {
	el := c.byKey[key]
	if el == nil {
		return false
	}
	c.order.MoveToFront(el)
	return true
}

func (c *lru) set(key int, size int64) {
	c.byKey[key] = c.order.PushFront(lruEntry{key, size})
	for c.used += size; c.used > c.room; {
		old := c.order.Remove(c.order.Back()).(lruEntry)
		c.used -= old.size
		delete(c.byKey, old.key)
	}
}

// zipf returns keys below n of Zipf's law with exponent s, which may be below 1.
func zipf(r *rand.Rand, s float64, n int) func() int {
	cdf, sum := make([]float64, n), 0.0
	for i := range n {
		sum += math.Pow(float64(i+1), -s)
		cdf[i] = sum
	}
	return func() int { return min(sort.SearchFloat64s(cdf, r.Float64()*sum), n-1) }
}

const traceKeys = 1 << 18

// traces are streams of keys below traceKeys. The floors are for values
// of 128 bytes, where chance plays a small part, and of 1000, where it depends on
// how much ristretto's goroutine gets to run: a few points under what was measured.
var traces = []struct {
	name   string
	floors [2]float64
	next   func(r *rand.Rand) func(i int) int
}{
	{"zipf 0.9", [2]float64{0.59, 0.53}, func(r *rand.Rand) func(int) int {
		z := zipf(r, 0.9, traceKeys)
		return func(int) int { return z() }
	}},
	{"zipf 1.01 that drifts by a key in 50 steps", [2]float64{0.748, 0.69}, func(r *rand.Rand) func(int) int {
		z := zipf(r, 1.01, traceKeys/2)
		return func(i int) int { return z() + i/50 }
	}},
	{"zipf 1.01 with scans", [2]float64{0.565, 0.53}, func(r *rand.Rand) func(int) int {
		z := zipf(r, 1.01, traceKeys/2)
		return func(i int) int {
			if i%50_000 < 15_000 {
				return traceKeys/2 + i%(traceKeys/2)
			}
			return z()
		}
	}},
}

const traceSteps = 250_000

// play reads a trace through a store and returns the hit ratio of the second half.
func play(t testing.TB, maxBytes int64, data []byte, next func(int) int) float64 {
	t.Helper()
	s := newStore(t, Options{MaxBytes: maxBytes})
	keys, hashes := testKeys(traceKeys)
	hits := 0
	for i := range traceSteps {
		k := next(i)
		if s.Get(hashes[k], keys[k], 1) == nil {
			mustSet(t, s, hashes[k], &Entry{Key: keys[k], Data: data}, 1)
		} else if i >= traceSteps/2 {
			hits++
		}
	}
	return float64(hits) / (traceSteps / 2)
}

// playLRU is play through an LRU of the same budget, which pays nothing for its
// own bookkeeping but what it shares with the store.
func playLRU(maxBytes int64, data []byte, next func(int) int) float64 {
	size := (&Entry{Key: "key-000000000000", Data: data}).Size()
	l, hits := lru{room: maxBytes, byKey: map[int]*list.Element{}}, 0
	for i := range traceSteps {
		k := next(i)
		if !l.get(k) {
			l.set(k, size)
		} else if i >= traceSteps/2 {
			hits++
		}
	}
	return float64(hits) / (traceSteps / 2)
}

// TestHitRatio compares the store with an LRU, with values too small for a keeper
// to pay and with larger ones. Where the set of hot keys keeps changing, a keeper
// does worse: its frequencies are slower to notice than a CLOCK and a window are.
func TestHitRatio(t *testing.T) {
	if raceDetector {
		t.Skip("ristretto learns too little under the race detector")
	}
	for i, size := range []int{128, 1000} {
		data := make([]byte, size)
		maxBytes := int64(keeperFrom) / 292 * (&Entry{Data: data}).Size()
		for _, tr := range traces {
			ratio := play(t, maxBytes, data, tr.next(rand.New(rand.NewSource(1))))
			ratioLRU := playLRU(maxBytes, data, tr.next(rand.New(rand.NewSource(1))))
			t.Logf("%s, %d B: store %.1f %%, LRU %.1f %%", tr.name, size, 100*ratio, 100*ratioLRU)
			if ratio < tr.floors[i] {
				t.Errorf("%s, %d B: hit ratio %.3f, want %.3f", tr.name, size, ratio, tr.floors[i])
			}
			if size == 128 && ratio < ratioLRU {
				t.Errorf("%s, %d B: hit ratio %.3f, an LRU has %.3f", tr.name, size, ratio, ratioLRU)
			}
		}
	}
}
