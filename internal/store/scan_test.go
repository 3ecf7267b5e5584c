package store

import (
	"sync"
	"testing"
)

// TestRangeMeetsWhatStays scans while other keys come and go, so that tables are
// replaced under the scan.
func TestRangeMeetsWhatStays(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 2 << 20})
	keys, hashes := testKeys(4000)
	stay := keys[:1000]
	for i := range stay {
		mustSet(t, s, hashes[i], &Entry{Key: keys[i]}, 1)
	}
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for {
			for i := len(stay); i < len(keys); i++ {
				mustSet(t, s, hashes[i], &Entry{Key: keys[i]}, 1)
			}
			for i := len(stay); i < len(keys); i++ {
				s.Delete(hashes[i], keys[i])
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range 20 {
		met := map[string]bool{}
		s.Range(1, func(hash uint64, e *Entry) bool {
			if hash != hashOf(e.Key) {
				t.Errorf("%q: wrong hash", e.Key)
			}
			met[e.Key] = true
			return true
		})
		for _, key := range stay {
			if !met[key] {
				t.Fatalf("%q was not met", key)
			}
		}
	}
	close(stop)
	others.Wait()
}

func TestRangeStops(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20})
	keys, hashes := testKeys(1000)
	for i := range keys {
		mustSet(t, s, hashes[i], &Entry{Key: keys[i], Expires: 10}, 1)
	}
	n := 0
	s.Range(1, func(uint64, *Entry) bool { n++; return n < 10 })
	if n != 10 {
		t.Errorf("f was called %d times, want 10", n)
	}
	s.Range(10, func(_ uint64, e *Entry) bool { t.Errorf("%q has expired", e.Key); return false })
}

func TestDeleteIf(t *testing.T) {
	for _, engine := range engines {
		s := newEngine(t, engine, Options{MaxBytes: 8 << 20})
		keys, hashes := testKeys(10_000)
		for i := range keys {
			mustSet(t, s, hashes[i], &Entry{Key: keys[i]}, 1)
		}
		held := s.Len()
		lost := func(hash uint64) bool { return hash%3 != 0 }
		asked := map[*Entry]bool{}
		s.DeleteIf(func(hash uint64, e *Entry) bool {
			asked[e] = true                  // perhaps again, when a table shrank meanwhile
			if s.Peek(hash, e.Key, 1) != e { // f may call the store
				t.Errorf("%s: %q is missing", engine, e.Key)
			}
			return lost(hash)
		})
		if len(asked) != held {
			t.Errorf("%s: asked about %d of %d entries", engine, len(asked), held)
		}
		kept := 0
		for i := range keys {
			if s.Get(hashes[i], keys[i], 1) == nil {
				continue
			}
			kept++
			if lost(hashes[i]) {
				t.Fatalf("%s: key %d is still there", engine, i)
			}
		}
		if kept != s.Len() || kept == 0 {
			t.Errorf("%s: found %d, Len is %d", engine, kept, s.Len())
		}
	}
}
