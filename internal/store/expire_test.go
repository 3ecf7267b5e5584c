package store

import "testing"

func TestExpiryIsExact(t *testing.T) {
	for _, engine := range engines {
		s := newEngine(t, engine, Options{MaxBytes: 1 << 20})
		e := &Entry{Key: "k", Expires: 100}
		mustSet(t, s, 1, e, 1)
		if s.Get(1, "k", 99) != e || s.Peek(1, "k", 99) != e {
			t.Error("gone before it expired")
		}
		if s.Peek(1, "k", 100) != nil || s.Get(1, "k", 100) != nil {
			t.Error("found when it had expired")
		}
		if s.Len() != 0 || s.Stats().Expired != 1 {
			t.Errorf("the Get that met it left it there: %+v", s.Stats())
		}
		mustSet(t, s, 1, &Entry{Key: "k"}, 1)
		mustSet(t, s, 1, &Entry{Key: "k", Expires: 50}, 50)
		if s.Get(1, "k", 50) != nil || s.Len() != 0 {
			t.Error("a Set that had expired left the older value")
		}
	}
}

// TestExpiredTogether lets a whole store expire at once. No Set may do much about
// it, but together they do not take long.
func TestExpiredTogether(t *testing.T) {
	for _, engine := range engines {
		const n = 40_000
		gone := 0
		s := newEngine(t, engine, Options{MaxBytes: 24 << 20, OnEvict: func(_ *Entry, why Cause) {
			if why == Expired {
				gone++
			}
		}})
		keys, hashes := testKeys(3 * n)
		for i := range n {
			mustSet(t, s, hashes[i], &Entry{Key: keys[i], Expires: 100}, 1)
		}
		if s.Len() != n {
			t.Fatalf("%s: the store holds %d of %d", engine, s.Len(), n)
		}
		worst := 0
		for i := n; i < 3*n && gone < n; i++ {
			before := gone
			mustSet(t, s, hashes[i], &Entry{Key: keys[i]}, 100)
			worst = max(worst, gone-before)
		}
		t.Logf("%s: at most %d in one Set", engine, worst)
		if gone < n*99/100 {
			t.Errorf("%s: %d of %d expired entries are still there", engine, n-gone, n)
		}
		if worst > 4*sweepAtMost {
			t.Errorf("%s: one Set dropped %d expired entries", engine, worst)
		}
	}
}
