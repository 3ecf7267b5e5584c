package hotcache

import (
	"math"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// copyBytes is what a copy takes besides its entry. The way it lies in is part of the table.
const copyBytes = int64(unsafe.Sizeof(hotCopy{}))

// charge returns what a copy of e takes of the budget. An entry may claim any size.
func charge(e *store.Entry) int64 { return min(e.Size(), math.MaxInt64-copyBytes) + copyBytes }

const (
	// maxShare is the largest part of the budget that one copy may take, as a divisor: a huge value must not
	// empty the cache.
	maxShare = 4

	// reclaimSets bounds how many sets with copies a Keep searches for room, and so how many copies it can push out.
	reclaimSets = 64
)

// MaxCopy is the largest Entry.Size that Keep takes, in bytes; 0 of a nil *Cache.
func (c *Cache) MaxCopy() int64 {
	if c == nil {
		return 0
	}
	return max(c.capacity.Load()/maxShare-copyBytes, 0)
}

// reserve charges size bytes for a copy of the table, making room if need be, and reports whether it did. The bytes
// charged are never above the capacity, not even for a moment.
func (c *Cache) reserve(t *table, size, now int64) bool {
	if size > c.capacity.Load()/maxShare {
		return false
	}
	return c.tryReserve(size) || c.reclaim(t, size, now, over) || c.reclaim(t, size, now, unused) || c.reclaim(t, size, now, any)
}

func (c *Cache) tryReserve(size int64) bool {
	for {
		used := c.used.Load()
		if used > c.capacity.Load()-size {
			return false
		}
		if c.used.CompareAndSwap(used, used+size) {
			return true
		}
	}
}

// A victim says which copies make room for others.
type victim uint8

const (
	over   victim = iota // those that are over
	unused               // and of each set one that was not used since it was looked at last
	any                  // and of each set the one that was used least
)

// reclaim walks the sets from where the last walk ended, dropping copies until size bytes could be charged.
// It holds one stripe's lock at a time and none when it returns.
func (c *Cache) reclaim(t *table, size, now int64, which victim) bool {
	looked := 0
	for range t.sets {
		i := c.hand.Add(1)
		s := t.set(i)
		if s.tags.Load() == 0 {
			continue
		}
		if (which != over || s.hasOver(now)) && c.thin(t, i, now, which) && c.tryReserve(size) {
			return true
		}
		if looked++; looked == reclaimSets {
			return false
		}
	}
	return false
}

// thin drops the copies of a set that are over, or, if there are none, one that may go. It reports whether it
// dropped any. What it spares counts for less when it is looked at again.
func (c *Cache) thin(t *table, i uint64, now int64, which victim) bool {
	s, st := t.set(i), t.stripe(i)
	st.mu.Lock()
	defer st.mu.Unlock()
	if c.dropOverLocked(s, now) {
		return true
	}
	h := s.leastLocked()
	if which == over || h == nil {
		return false
	}
	goes := which == any || h.uses.Load() == 0
	s.ageLocked()
	if !goes {
		return false
	}
	c.evicted.Add(1)
	return c.removeLocked(s, h)
}

// Sweep drops every copy that is over: its value, or its session for good. Call it about once a second, so that a cache that nobody uses any more gives
// its memory back. It looks at each of the table's sets, 64 bytes for each 2 KiB of the budget up to 4 MiB.
func (c *Cache) Sweep(now int64) {
	if c == nil || c.copies.Load() == 0 {
		return
	}
	t := c.table.Load()
	if t == nil {
		return
	}
	for i := range t.sets {
		if t.sets[i].hasOver(now) {
			c.thin(t, uint64(i), now, over)
		}
	}
}

// hasOver reports whether the set holds a copy that is over. Safe without a lock.
func (s *set) hasOver(now int64) bool {
	if s.tags.Load() == 0 {
		return false
	}
	for i := range s.ways {
		if h := s.ways[i].Load(); h != nil && h.isOver(now) {
			return true
		}
	}
	return false
}

// dropOverLocked reports whether it dropped any.
func (c *Cache) dropOverLocked(s *set, now int64) (dropped bool) {
	for i := range s.ways {
		if h := s.ways[i].Load(); h != nil && h.isOver(now) {
			dropped = c.removeLocked(s, h)
		}
	}
	return dropped
}

// removeLocked takes a copy out of its set and gives its bytes back. It reports whether the copy was still there.
func (c *Cache) removeLocked(s *set, h *hotCopy) bool {
	way := s.wayOfLocked(h)
	if way < 0 {
		return false
	}
	s.putLocked(way, nil)
	c.copies.Add(-1)
	c.used.Add(-h.size)
	return true
}
