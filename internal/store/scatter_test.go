package store

import (
	"fmt"
	"testing"
)

// forgedHashes are hashes that agree in their first and last 20 bits, as those of
// keys do that somebody has chosen.
func forgedHashes(n int) []uint64 {
	hashes := make([]uint64, n)
	for i := range hashes {
		hashes[i] = 0xabcde<<44 | uint64(i)<<20 | 0x12345
	}
	return hashes
}

// TestForgedHashesAreScattered fills a store with keys whose hashes agree in the
// bits by which a table would place them: chains stay short, and no sketch counts
// them in one place.
func TestForgedHashesAreScattered(t *testing.T) {
	const n = 20_000
	for _, engine := range engines {
		s := newEngine(t, engine, Options{MaxBytes: 64 << 20})
		s.scatter = NewScatter() // not that of the tests
		for i, hash := range forgedHashes(n) {
			mustSet(t, s, hash, &Entry{Key: fmt.Sprint(i)}, 1)
		}
		longest, used := 0, 0
		for i := range s.shards {
			tab := s.shards[i].Load()
			for b := range tab.buckets {
				length := 0
				for e := tab.buckets[b].Load(); e != nil; e = e.next.Load() {
					length++
				}
				longest = max(longest, length)
			}
			if tab.n > 0 {
				used++
			}
		}
		if s.Len() != n || longest > 20 || used != len(s.shards) {
			t.Errorf("%s: %d entries, the longest chain has %d, %d of %d shards are used", engine, s.Len(), longest, used, len(s.shards))
		}
	}
}

// TestScatter looks at many secrets: each has to spread what somebody has chosen.
func TestScatter(t *testing.T) {
	for range 100 {
		testScatter(t)
	}
}

func testScatter(t *testing.T) {
	a, b := NewScatter(), NewScatter()
	seen, unique := map[uint64]bool{}, map[uint64]bool{}
	var low, high, uniqueLow [256]int
	const n = 1 << 14
	for _, hash := range forgedHashes(n) {
		place := a.Of(hash)
		seen[place] = true
		unique[a.unique(hash)] = true
		low[place%256]++
		high[place>>56]++
		uniqueLow[a.unique(hash)%256]++
		if place == b.Of(hash) {
			t.Fatalf("two processes scatter %x alike", hash)
		}
	}
	if len(seen) < n-1 || len(unique) != n {
		t.Errorf("of %d hashes %d places and %d others are left", n, len(seen), len(unique))
	}
	for name, counts := range map[string][256]int{"low": low, "high": high, "low unique": uniqueLow} {
		for bits, count := range counts {
			// 64 are to be expected, with a deviation of 8.
			if count < 64-8*7 || count > 64+8*8 {
				t.Errorf("%d hashes of %d have the %s bits %x, secrets %x", count, n, name, bits, a)
			}
		}
	}
}

// TestTwinsAreBounded sets keys of one hash, as somebody can make them who knows the
// hash: no more than maxTwins stay, and what is set last is found.
func TestTwinsAreBounded(t *testing.T) {
	for _, engine := range engines {
		s := newEngine(t, engine, Options{MaxBytes: 64 << 20})
		for i := range 5000 {
			key := fmt.Sprint(i)
			mustSet(t, s, 42, &Entry{Key: key}, 1)
			if s.Get(42, key, 1) == nil {
				t.Fatalf("%s: %q is missing", engine, key)
			}
			if n, _ := s.twinsLocked(42); n > maxTwins {
				t.Fatalf("%s: %d twins", engine, n)
			}
		}
		if got := s.Stats().Collided; got < 5000-maxTwins {
			t.Errorf("%s: %d collisions counted", engine, got)
		}
	}
}
