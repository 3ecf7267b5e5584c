package hotcache

import (
	"math"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A Fetch is one request to an owner that asks for a copy, from before it is sent until its answer is kept or
// dropped. Call one of Keep and Drop; what comes after the first has no effect. Forgetting both leaks nothing.
type Fetch struct {
	cache *Cache
	table *table // nil: the fetch began marked
	hash  uint64
	place uint64 // the hash, scattered
	key   string
	marks uint64 // of the stripe, when the fetch began
	ended atomic.Bool
}

// Begin registers a fetch. It must return before the request is sent: then an invalidation that overtakes the answer
// finds the fetch begun and marks it. The key must not alias a buffer that changes. Takes no lock. Returns nil, which is a valid Fetch that keeps nothing, if c is nil.
//
// The owner should come from a view that is still current after Begin returned: a fetch that began before
// Retain returned keeps nothing, one that begins later is taken at its word.
func (c *Cache) Begin(hash uint64, key string) *Fetch {
	if c == nil {
		return nil
	}
	f := &Fetch{cache: c, hash: hash, place: c.scatter.Of(hash), key: key}
	t := c.open()
	if t == nil {
		return f
	}
	// First the count, then the bar. The schedule this order defends against: 1. Begin finds no bar; 2. Retain sets
	// the bar and raises the count; 3. Begin reads the raised count: the fetch would pass for one that began after
	// Retain. In this order, whoever reads the raised count sees the bar, unless Retain has returned.
	f.marks = t.stripe(f.place).marks.Load()
	// A Resize that has returned by then has marked the fetches of its own table only.
	if c.barred.Load() == 0 && c.table.Load() == t {
		f.table = t
	}
	return f
}

// Drop ends the fetch without a copy: it failed, or the answer brought no registration.
func (f *Fetch) Drop() {
	if f != nil {
		f.ended.Store(true)
	}
}

// A Grant is what an owner said of a copy.
type Grant struct {
	Session *session.Held // under which it was granted; nil: it is not kept
	Sent    int64         // when the request was sent, or before
	TellAt  int64         // when the owner wants to hear of a read; 0: never
}

// Keep ends the fetch and stores e as the copy of its key. e.Key must be the key given to Begin. The copy
// lives as long as its session stands, and until e.Expires. Keep
// reports whether the cache now holds this copy or one that was asked for later. It does not if the fetch was marked,
// if the value has expired, or if there is no room. It retains e, which must not change any more. now is the time of the
// call.
func (f *Fetch) Keep(e *store.Entry, g Grant, now int64) bool {
	if f == nil || f.ended.Swap(true) || g.Session == nil {
		return false
	}
	c := f.cache
	h := &hotCopy{hash: f.hash, session: g.Session, expires: math.MaxInt64, sent: g.Sent, entry: e, size: charge(e)}
	if e.Expires != 0 {
		h.expires = e.Expires
	}
	if g.TellAt == 0 {
		g.TellAt = math.MaxInt64
	}
	h.tellAt.Store(g.TellAt)
	switch {
	case e.Key != f.key || f.marked():
		c.marked.Add(1)
	case h.isOver(now):
		c.lapsed.Add(1)
	case !c.reserve(f.table, h.size, now):
		c.overBudget.Add(1)
	case !f.publish(h, now):
		c.used.Add(-h.size)
		c.marked.Add(1)
	default:
		return true
	}
	return false
}

// marked reports whether an invalidation came since the fetch began. While the lock of the stripe is held the answer
// stands; without it, only true does.
func (f *Fetch) marked() bool {
	return f.table == nil || f.table.stripe(f.place).marks.Load() != f.marks && !f.cache.ignoreMark
}

// publish puts a copy that is paid for into its set, unless the fetch was marked.
//
// The schedule it defends against: 1. Keep finds no mark; 2. Invalidate marks, finds no copy to remove, and returns;
// 3. Keep publishes: every later Get would return the old value. So the check and the
// publication are one step under the stripe's lock, and Invalidate marks and removes under the same lock. Either
// Invalidate is first and the check fails, or the copy is there for Invalidate to remove.
func (f *Fetch) publish(h *hotCopy, now int64) bool {
	c, s, st := f.cache, f.table.set(f.place), f.table.stripe(f.place)
	st.mu.Lock()
	defer st.mu.Unlock()
	if f.marked() {
		return false
	}
	old := s.find(h.hash, h.entry.Key)
	if old != nil && old.sent > h.sent && old.isLive(now) {
		// Two fetches of the key cross: this one was sent first and is answered last. What is there is no older.
		c.used.Add(-h.size)
		c.superseded.Add(1)
		return true
	}
	if old == nil {
		old = c.makeWayLocked(s, now)
	}
	way := s.wayOfLocked(old)
	s.putLocked(way, h) // over the old copy, if any: a reader sees one or the other, never a gap
	if old != nil {
		c.used.Add(-old.size)
	} else {
		c.copies.Add(1)
	}
	c.kept.Add(1)
	return true
}

// makeWayLocked returns the copy that a new one is to replace in a set, or nil if a way is empty.
func (c *Cache) makeWayLocked(s *set, now int64) *hotCopy {
	c.dropOverLocked(s, now)
	if s.wayOfLocked(nil) >= 0 {
		return nil
	}
	c.evicted.Add(1)
	least := s.leastLocked()
	s.ageLocked()
	return least
}
