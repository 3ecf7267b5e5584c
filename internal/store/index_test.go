package store

import (
	"fmt"
	"sync"
	"testing"
)

// TestReadersNeverMiss grows and shrinks the tables, and takes chains apart, under
// readers of keys that are there all the time.
func TestReadersNeverMiss(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20}) // four shards
	const steady, passing = 16, 500
	at := func(i int) (uint64, string) { return hashOf(fmt.Sprint(i)), fmt.Sprint(i) }
	for i := range steady {
		hash, key := at(i)
		mustSet(t, s, hash, &Entry{Key: key}, 1)
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for i := 0; ; i = (i + 1) % steady {
				select {
				case <-stop:
					return
				default:
				}
				hash, key := at(i)
				if e := s.Get(hash, key, 1); e == nil || e.Key != key {
					t.Errorf("key %d is missing", i)
					return
				}
			}
		})
	}
	for round := range 60 {
		for i := steady; i < steady+passing; i++ {
			hash, key := at(i)
			mustSet(t, s, hash, &Entry{Key: key}, 1)
			if i%8 == 0 { // replaced where it stands, in the middle of a chain
				hash, key = at(i / 8 % steady)
				mustSet(t, s, hash, &Entry{Key: key}, 1)
			}
		}
		for i := steady; i < steady+passing; i++ {
			hash, key := at(i)
			if !s.Delete(hash, key) {
				t.Fatalf("round %d: key %d is missing", round, i)
			}
		}
	}
	close(stop)
	readers.Wait()
	if s.Len() != steady {
		t.Errorf("%d entries, want %d", s.Len(), steady)
	}
}

// TestReadersPassUnlinkedEntries takes entries out of the chain in front of a key
// that readers look for.
func TestReadersPassUnlinkedEntries(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20})
	mustSet(t, s, 7, &Entry{Key: "steady"}, 1)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				if s.Get(7, "steady", 1) == nil {
					t.Error("the key is missing")
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	names := []string{"a", "b", "c", "d", "e", "f"}
	for range 10_000 {
		for _, name := range names {
			mustSet(t, s, 7, &Entry{Key: name}, 1)
		}
		for _, name := range names {
			s.Delete(7, name)
		}
	}
	close(stop)
	readers.Wait()
}

func TestTablesShrink(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20})
	keys, hashes := testKeys(5000)
	for i := range keys {
		mustSet(t, s, hashes[i], &Entry{Key: keys[i]}, 1)
	}
	for i := range keys {
		s.Delete(hashes[i], keys[i])
	}
	for i := range s.shards {
		if n := len(s.shards[i].Load().buckets); n > minBuckets {
			t.Errorf("shard %d has %d buckets and no entries", i, n)
		}
	}
	if s.Bytes() != s.base {
		t.Errorf("%d bytes in an empty store, want %d", s.Bytes(), s.base)
	}
}
