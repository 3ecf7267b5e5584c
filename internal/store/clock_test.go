package store

import "testing"

// TestLoops reads keys in turn, twice as many as fit: recency alone never hits.
func TestLoops(t *testing.T) {
	s := newEngine(t, "clock", Options{MaxBytes: 256 << 10})
	keys, hashes := testKeys(2 * int(s.room/(&Entry{Key: "key-000000000000"}).Size()))
	hits, rounds := 0, 20
	for range rounds {
		for i := range keys {
			if s.Get(hashes[i], keys[i], 1) != nil {
				hits++
			} else {
				mustSet(t, s, hashes[i], &Entry{Key: keys[i]}, 1)
			}
		}
	}
	ratio := float64(hits) / float64(rounds*len(keys))
	t.Logf("hit ratio %.3f, of 0.5 that is possible", ratio)
	if ratio < 0.3 {
		t.Errorf("hit ratio %.3f", ratio)
	}
	if st := s.Stats(); st.Rejected == 0 || st.Rejected >= st.Evicted {
		t.Errorf("one kind of eviction was never tried: %+v", st)
	}
}

// TestTheNewestStay sets nothing but the largest entries into a store of hot ones.
func TestTheNewestStay(t *testing.T) {
	s := newEngine(t, "clock", Options{MaxBytes: 256 << 10})
	keys, hashes := testKeys(2000)
	for i := range 1900 {
		mustSet(t, s, hashes[i], &Entry{Key: keys[i]}, 1)
		s.Get(hashes[i/2], keys[i/2], 1)
	}
	for i := 1900; i < len(keys); i++ {
		e := &Entry{Key: keys[i]}
		e.Extra = ExtraOf((s.MaxEntry() - e.Size()) &^ 15)
		mustSet(t, s, hashes[i], e, 1)
		for j := max(1900, i-2); j <= i; j++ { // Set promises that two later ones leave it
			if s.Peek(hashes[j], keys[j], 1) == nil {
				t.Fatalf("entry %d is gone after Set %d", j, i)
			}
		}
	}
}

// TestRewrittenEntriesStay sets a few keys again and again, and never reads them,
// while many others are set once.
func TestRewrittenEntriesStay(t *testing.T) {
	s := newEngine(t, "clock", Options{MaxBytes: 256 << 10})
	keys, hashes := testKeys(20_000)
	const hot = 100
	sets, found := 0, 0
	for i := hot; i < len(keys); i++ {
		mustSet(t, s, hashes[i], &Entry{Key: keys[i]}, 1)
		if i%8 == 0 {
			j := i / 8 % hot
			if sets++; s.Peek(hashes[j], keys[j], 1) != nil {
				found++
			}
			mustSet(t, s, hashes[j], &Entry{Key: keys[j]}, 1)
		}
	}
	if found*100 < sets*90 {
		t.Errorf("%d of %d rewritten entries were there", found, sets)
	}
}

// TestLuck lets a candidate compete with a victim whose counters are full.
func TestLuck(t *testing.T) {
	s := newEngine(t, "clock", Options{MaxBytes: 256 << 10})
	victim, candidate := &Entry{Key: "victim"}, &Entry{Key: "candidate"}
	mustSet(t, s, hashOf("victim"), victim, 1)
	mustSet(t, s, hashOf("candidate"), candidate, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countUsesLocked(victim.hash, counterMax)
	const tries = 100 * luckyOdds
	wins := func() (n int) {
		for range tries {
			if s.beatsLocked(candidate, victim) {
				n++
			}
		}
		return n
	}
	if n := wins(); n != 0 {
		t.Errorf("a candidate that was used once won %d times", n)
	}
	s.countUsesLocked(candidate.hash, luckyUses)
	if n := wins(); n < 40 || n > 200 {
		t.Errorf("a candidate won %d of %d times, want about 100", n, tries)
	}
	candidate.heat.Add(1)
	if !s.beatsLocked(candidate, victim) {
		t.Error("a candidate that was used in the window lost")
	}
}

// TestKeeperThatCannotStart picks a budget of which nothing is left for
// ristretto: the store does without.
func TestKeeperThatCannotStart(t *testing.T) {
	left := func(maxBytes int64) int64 {
		s := newEngine(t, "keeper", Options{MaxBytes: maxBytes})
		return s.max - s.base - s.max/windowShare
	}
	maxBytes := int64(400 << 10)
	for left(maxBytes) > ristrettoBytes {
		maxBytes -= 16 << 10
	}
	s := newEngine(t, "keeper", Options{MaxBytes: maxBytes})
	keys, hashes := testKeys(1000)
	for i := range keys {
		mustSet(t, s, hashes[i], &Entry{Key: keys[i], Extra: ExtraOf(1000)}, 1)
		if s.Get(hashes[i], keys[i], 1) == nil {
			t.Fatalf("key %d is not there", i)
		}
	}
	if s.keeper.Load() != nil || !s.clock || s.Bytes() < maxBytes*9/10 {
		t.Errorf("keeper %t, clock %t, %d bytes of %d", s.keeper.Load() != nil, s.clock, s.Bytes(), maxBytes)
	}
}
