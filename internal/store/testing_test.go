package store

import (
	"fmt"
	"math"
	"math/bits"
	"testing"
)

// hashOf is a well mixed hash, the same in every run.
func hashOf(key string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	hi, lo := bits.Mul64(h^h>>32, 0x9e3779b97f4a7c15)
	hi2, lo2 := bits.Mul64(hi^lo, 0xd6e8feb86659fd93)
	return hi2 ^ lo2
}

func testKeys(n int) (keys []string, hashes []uint64) {
	keys, hashes = make([]string, n), make([]uint64, n)
	for i := range n {
		keys[i] = fmt.Sprintf("key-%012d", i)
		hashes[i] = hashOf(keys[i])
	}
	return keys, hashes
}

func newStore(t testing.TB, opts Options) *Store {
	t.Helper()
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.scatter = Scatter{0x9e3779b97f4a7c15, 0xd6e8feb86659fd93} // the same in every run
	t.Cleanup(func() {
		checkStore(t, s)
		s.Close()
	})
	return s
}

// engines are the two ways in which a store makes room.
var engines = []string{"clock", "keeper"}

// newEngine makes a store that makes room in the given way, whatever pays.
func newEngine(t testing.TB, engine string, opts Options) *Store {
	t.Helper()
	s := newStore(t, opts)
	s.mean = math.MaxInt64
	if engine == "keeper" {
		s.mean = 0
		s.room, s.clock = s.max/windowShare, false
	}
	return s
}

func mustSet(t testing.TB, s *Store, hash uint64, e *Entry, now int64) {
	t.Helper()
	if err := s.Set(hash, e, now); err != nil {
		t.Fatalf("Set(%q): %v", e.Key, err)
	}
}

// checkStore compares the store's books with what its parts hold. Nobody else may
// use the store meanwhile.
func checkStore(t testing.TB, s *Store) {
	t.Helper()
	s.moving.Lock()
	defer s.moving.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	linked := map[*Entry]bool{}
	var kept int64
	mortal := 0
	for i := range s.shards {
		tab, n := s.shards[i].Load(), 0
		for b := range tab.buckets {
			for e := tab.buckets[b].Load(); e != nil; e = e.next.Load() {
				n++
				linked[e] = true
				mortal += mortality(e)
				if e.place != inWindow && e.place != inMain && e.place != inKeeper {
					t.Errorf("linked entry %q is in place %d", e.Key, e.place)
				}
				if e.place == inKeeper {
					kept += e.keptSize()
				}
				if t2, bucket := s.chain(e.hash); t2 != tab || bucket != &tab.buckets[b] {
					t.Errorf("entry %q is in the wrong chain", e.Key)
				}
			}
		}
		if c := tab.sketch; c != nil && (!s.clock || len(c.words) != max(len(tab.buckets), blockWords)) {
			t.Errorf("shard %d of %d buckets has a sketch of %d words, clock %t", i, len(tab.buckets), len(c.words), s.clock)
		}
		if n != tab.n {
			t.Errorf("shard %d holds %d entries and counts %d", i, n, tab.n)
		}
	}
	if len(linked) != s.entries || mortal != s.mortal {
		t.Errorf("%d entries linked, %d mortal; counted %d and %d", len(linked), mortal, s.entries, s.mortal)
	}
	for _, q := range []struct {
		name  string
		queue queue
		place place
		used  int64
	}{{"window", s.window, inWindow, s.windowUsed}, {"main area", s.main, inMain, s.mainUsed}} {
		n, bytes := 0, int64(0)
		for e := q.queue.oldest; e != nil; e = e.newer {
			n++
			bytes += e.Size()
			if e.place != q.place || !linked[e] {
				t.Errorf("%s: entry %q: place %d, linked %t", q.name, e.Key, e.place, linked[e])
			}
		}
		if n != q.queue.n || bytes != q.used {
			t.Errorf("%s holds %d entries, %d bytes; counted %d, %d", q.name, n, bytes, q.queue.n, q.used)
		}
	}
	if used := s.windowUsed + s.mainUsed; used > s.room {
		t.Errorf("the queues hold %d bytes, there is room for %d", used, s.room)
	}
	checkKeeper(t, s, linked, kept)
	if got := s.bytesLocked(); got > s.max {
		t.Errorf("%d bytes, the budget is %d", got, s.max)
	}
}

// checkKeeper compares the books about the keeper with what ristretto holds.
func checkKeeper(t testing.TB, s *Store, linked map[*Entry]bool, kept int64) {
	t.Helper()
	dead := map[*Entry]bool{}
	for _, e := range s.dead {
		if e.place == inKeeper {
			dead[e] = true
			kept += e.keptSize()
		}
	}
	if kept != s.keeperUsed {
		t.Errorf("keeper should hold %d bytes, counted %d", kept, s.keeperUsed)
	}
	k := s.keeper.Load()
	if k == nil {
		return
	}
	if got := k.cache.MaxCost() - k.cache.RemainingCost(); got != kept {
		t.Errorf("ristretto holds %d bytes, should hold %d", got, kept)
	}
	k.cache.IterValues(func(e *Entry) bool {
		if e.place != inKeeper || !linked[e] && !dead[e] {
			t.Errorf("ristretto holds %q: place %d, linked %t, dead %t", e.Key, e.place, linked[e], dead[e])
		}
		delete(linked, e)
		return false
	})
	for e := range linked {
		if e.place == inKeeper {
			t.Errorf("ristretto does not hold %q", e.Key)
		}
	}
}
