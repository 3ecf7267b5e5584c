package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/meshtest/leaks"
)

// Closed stores leave no goroutines of ristretto behind.
func TestMain(m *testing.M) { leaks.Main(m, "dgraph-io/ristretto") }

func TestNewRefusesTinyBudgets(t *testing.T) {
	for _, maxBytes := range []int64{-1, 0, 1, 1 << 10, MinBytes - 1} {
		_, err := New(Options{MaxBytes: maxBytes})
		var be *BudgetError
		if !errors.As(err, &be) || be.Min != MinBytes || be.MaxBytes != maxBytes {
			t.Errorf("New with MaxBytes %d: %v", maxBytes, err)
		}
	}
	for _, maxBytes := range []int64{MinBytes, 64 << 10, keeperFrom - 1, keeperFrom} {
		s := newStore(t, Options{MaxBytes: maxBytes})
		for i := range 2000 {
			key := fmt.Sprint(i)
			mustSet(t, s, hashOf(key), &Entry{Key: key, Data: make([]byte, 50)}, 1)
			if s.Get(hashOf(key), key, 1) == nil || s.Bytes() > maxBytes {
				t.Fatalf("MaxBytes %d: key %d: not found, or %d bytes", maxBytes, i, s.Bytes())
			}
		}
	}
}

// TestColdSetsAreVisible sets cold keys into a store that is full of hot ones,
// each followed by another Set of the largest size.
func TestColdSetsAreVisible(t *testing.T) {
	for _, engine := range engines {
		for _, maxBytes := range []int64{2 << 20, 16 << 20} {
			s := newEngine(t, engine, Options{MaxBytes: maxBytes})
			keys, hashes := testKeys(2*int(maxBytes/2000) + 2000)
			hot := int(maxBytes / 2000)
			for range 20 {
				for i := range hot {
					if s.Get(hashes[i], keys[i], 1) == nil {
						mustSet(t, s, hashes[i], &Entry{Key: keys[i], Extra: ExtraOf(1500)}, 1)
					}
				}
			}
			for i := hot; i < hot+1000; i++ {
				mustSet(t, s, hashes[i], &Entry{Key: keys[i], Extra: ExtraOf(int64(i%8) * s.MaxEntry() / 10)}, 1)
				mustSet(t, s, hashes[i+1000], &Entry{Key: keys[i+1000], Extra: ExtraOf(s.MaxEntry() - 300)}, 1)
				if s.Get(hashes[i], keys[i], 1) == nil {
					t.Fatalf("%s, %d MiB: cold key %d is not visible", engine, maxBytes>>20, i-hot)
				}
			}
		}
	}
}

func TestOversizedSetChangesNothing(t *testing.T) {
	for _, engine := range engines {
		s := newEngine(t, engine, Options{MaxBytes: 1 << 20})
		keys, hashes := testKeys(1000)
		for i := range keys {
			mustSet(t, s, hashes[i], &Entry{Key: keys[i]}, 1)
		}
		n, bytes := s.Len(), s.Bytes()
		for _, extra := range []int64{s.MaxEntry(), 2 << 20, 1<<63 - 1} {
			e := &Entry{Key: keys[999], Extra: ExtraOf(extra)}
			err := s.Set(hashes[999], e, 1)
			var se *SizeError
			if !errors.Is(err, ErrTooLarge) || !errors.As(err, &se) || se.Size != e.Size() || se.Max != s.MaxEntry() {
				t.Errorf("%s: Set of %d bytes: %v", engine, e.Size(), err)
			}
		}
		if s.Len() != n || s.Bytes() != bytes || s.Get(hashes[999], keys[999], 1) == nil {
			t.Errorf("%s: %d entries of %d bytes became %d of %d", engine, n, bytes, s.Len(), s.Bytes())
		}
		e := &Entry{Key: "exact"}
		e.Extra = ExtraOf((s.MaxEntry() - e.Size()) &^ 15)
		mustSet(t, s, hashOf("exact"), e, 1)
		if s.Get(hashOf("exact"), "exact", 1) != e {
			t.Errorf("%s: an entry of MaxEntry is not there", engine)
		}
	}
}

func TestSetTakesAnEntryOnce(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20})
	e := &Entry{Key: "k"}
	mustSet(t, s, 1, e, 1)
	if err := s.Set(1, e, 1); !errors.Is(err, ErrReused) {
		t.Errorf("second Set: %v", err)
	}
	s.Delete(1, "k")
	if err := s.Set(1, e, 1); !errors.Is(err, ErrReused) {
		t.Errorf("Set after Delete: %v", err)
	}
}

func TestEmptyKeyAndZeroHash(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20})
	if e := s.Get(0, "", 1); e != nil {
		t.Errorf("found %v in an empty store", e)
	}
	e := &Entry{}
	mustSet(t, s, 0, e, 1)
	mustSet(t, s, 0, &Entry{Key: "other"}, 1)
	if s.Get(0, "", 1) != e || !s.Delete(0, "") || s.Get(0, "", 1) != nil || s.Delete(0, "") {
		t.Error("the empty key does not work")
	}
}

// TestForgedHashes sets many keys of one hash: all work, and few are kept.
func TestForgedHashes(t *testing.T) {
	for _, engine := range engines {
		s := newEngine(t, engine, Options{MaxBytes: 1 << 20})
		for i := range 5000 {
			key := fmt.Sprint(i)
			e := &Entry{Key: key, Extra: ExtraOf(10_000)}
			mustSet(t, s, 42, e, 1)
			if s.Get(42, key, 1) != e {
				t.Fatalf("%s: key %d is not there", engine, i)
			}
			if n := s.Len(); n > maxTwins {
				t.Fatalf("%s: %d entries of one hash", engine, n)
			}
		}
		if st := s.Stats(); st.Collided == 0 || st.Collided > st.Evicted {
			t.Errorf("%s: %+v", engine, st)
		}
	}
}

func TestGetAllocatesNothing(t *testing.T) {
	for _, engine := range engines {
		s := newEngine(t, engine, Options{MaxBytes: 16 << 20})
		keys, hashes := testKeys(20_000)
		for i := range keys {
			mustSet(t, s, hashes[i], &Entry{Key: keys[i], Extra: ExtraOf(500)}, 1)
		}
		buf := []byte(keys[19_999])
		for range 200 { // so often that it need not be reported any more
			s.Get(hashes[19_999], string(buf), 1)
		}
		if n := testing.AllocsPerRun(1000, func() { s.Get(hashes[19_999], keys[19_999], 1) }); n != 0 {
			t.Errorf("%s: a hit allocates %v times", engine, n)
		}
	}
}

// TestOnEvictMayCallTheStore checks that no lock is held, and that each entry
// that is not there any more was told of.
func TestOnEvictMayCallTheStore(t *testing.T) {
	for _, engine := range engines {
		var s *Store
		told := 0
		s = newEngine(t, engine, Options{MaxBytes: 1 << 20, OnEvict: func(e *Entry, why Cause) {
			told++
			if s.Get(e.hash, e.Key, 1) == e || !s.mu.TryLock() {
				t.Errorf("%s: %q: still there, or mu is held", engine, e.Key)
				return
			}
			s.mu.Unlock()
			if !s.moving.TryLock() {
				t.Errorf("%s: %q: moving is held", engine, e.Key)
				return
			}
			s.moving.Unlock()
		}})
		keys, hashes := testKeys(3000)
		for i := range keys {
			mustSet(t, s, hashes[i], &Entry{Key: keys[i], Extra: ExtraOf(1000)}, 1)
		}
		if st := s.Stats(); told == 0 || told+s.Len() != len(keys) || st.Evicted != uint64(told) {
			t.Errorf("%s: told of %d, holds %d of %d; %+v", engine, told, s.Len(), len(keys), st)
		}
	}
}

func TestChoiceOfEngine(t *testing.T) {
	for _, c := range []struct {
		maxBytes, extra int64
		keeper          bool
	}{{keeperFrom, 1000, true}, {keeperFrom, 10, false}, {keeperFrom - 1, 1000, false}} {
		s := newStore(t, Options{MaxBytes: c.maxBytes})
		keys, hashes := testKeys(int(2 * c.maxBytes / (c.extra + 100)))
		for i := range keys {
			mustSet(t, s, hashes[i], &Entry{Key: keys[i], Extra: ExtraOf(c.extra)}, 1)
		}
		if got := s.keeper.Load() != nil; got != c.keeper || got == s.clock {
			t.Errorf("MaxBytes %d, entries of %d: keeper %t, clock %t", c.maxBytes, c.extra, got, s.clock)
		}
		if share := s.Bytes() * 100 / c.maxBytes; share < 90 {
			t.Errorf("MaxBytes %d, entries of %d: only %d %% used", c.maxBytes, c.extra, share)
		}
	}
}
