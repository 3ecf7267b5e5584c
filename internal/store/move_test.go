package store

import (
	"strconv"
	"testing"
)

// halfMove takes a batch out of the window of a full store, as moveOn does, lets
// meanwhile change the store, and then carries the move out.
func halfMove(t *testing.T, s *Store, meanwhile func(b batch)) {
	t.Helper()
	var gone departures
	s.moving.Lock()
	s.mu.Lock()
	b := s.batchLocked(s.MaxEntry(), &gone)
	s.mu.Unlock()
	if len(b.added) < 3 {
		t.Fatalf("a batch of %d", len(b.added))
	}
	meanwhile(b)
	s.exchange(b, &gone)
	s.moving.Unlock()
	checkStore(t, s)
}

// fullKeeper returns a store with a keeper and no room in window or keeper.
func fullKeeper(t *testing.T) *Store {
	t.Helper()
	s := newEngine(t, "keeper", Options{MaxBytes: 1 << 20})
	for i := range 1500 {
		key := strconv.Itoa(i)
		mustSet(t, s, hashOf(key), &Entry{Key: key, Extra: ExtraOf(1000)}, 1)
	}
	return s
}

// TestChangesDuringAMove deletes and replaces entries that are on the way to the
// keeper: it takes them, but they are dead.
func TestChangesDuringAMove(t *testing.T) {
	s := fullKeeper(t)
	var deleted, replaced *Entry
	newer := &Entry{Extra: ExtraOf(10)}
	halfMove(t, s, func(b batch) {
		deleted, replaced = b.added[0], b.added[1]
		if s.Peek(deleted.hash, deleted.Key, 1) != deleted {
			t.Error("an entry is not found while it moves")
		}
		s.Delete(deleted.hash, deleted.Key)
		s.mu.Lock()
		newer.Key = replaced.Key
		newer.hash = replaced.hash
		s.discardLocked(s.linkLocked(newer)) // there is no room for a whole Set
		newer.place = inWindow
		s.window.push(newer)
		s.windowUsed += newer.Size()
		s.mu.Unlock()
	})
	if s.Get(deleted.hash, deleted.Key, 1) != nil || s.Get(newer.hash, newer.Key, 1) != newer {
		t.Error("a move brought an older entry back")
	}
	s.bury()
	if deleted.place != nowhere || replaced.place != nowhere {
		t.Errorf("places of the dead: %d, %d", deleted.place, replaced.place)
	}
}

// TestVictimThatWasDead deletes entries of the keeper while it is about to give
// some of them up for others: their bytes are given back once.
func TestVictimThatWasDead(t *testing.T) {
	s := fullKeeper(t)
	halfMove(t, s, func(batch) {
		s.mu.Lock()
		for i := range 1500 {
			key := strconv.Itoa(i)
			if _, e := s.findLocked(hashOf(key), key); e != nil && e.place == inKeeper {
				s.unlinkLocked(e)
				s.discardLocked(e)
			}
		}
		s.mu.Unlock()
	})
	listed := 0
	for _, e := range s.dead {
		if e.place == nowhere {
			listed++
		}
	}
	if listed == 0 {
		t.Fatal("no dead entry was given up")
	}
	s.bury()
	checkStore(t, s)
}

// TestUnlinkedEntriesAreSevered checks what sends readers, who stand on an entry
// while it is unlinked, to look again.
func TestUnlinkedEntriesAreSevered(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20})
	first, second, third := &Entry{Key: "1"}, &Entry{Key: "1"}, &Entry{Key: "2"}
	mustSet(t, s, 7, third, 1)
	mustSet(t, s, 7, first, 1)
	mustSet(t, s, 7, second, 1)
	if first.next.Load() != severed || second.next.Load() != third {
		t.Error("a replaced entry is not severed")
	}
	s.Delete(7, "1")
	if second.next.Load() != severed || s.Get(7, "2", 1) != third {
		t.Error("a deleted entry is not severed")
	}
}
