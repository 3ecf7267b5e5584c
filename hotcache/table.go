package hotcache

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A hotCopy is one copy under one lease. It is immutable but for renewAt, and is never reused. It fills a cache line.
type hotCopy struct {
	hash    uint64
	until   int64        // no Get from then on returns it: the lease or the value ends
	lease   int64        // the end of the lease alone: of two copies of a key, the later was asked for later
	renewAt atomic.Int64 // when the next GetRenew is to ask for a renewal
	size    int64        // what it was charged
	entry   *store.Entry
	owner   string // the member that granted the lease
}

const (
	ways    = 7
	ones    = 0x0001010101010101 // the lowest bit of each way's tag
	highs   = ones << 7
	tagByte = 0xff
)

// A set is the seven places where a copy can be, in one cache line. Readers use find without a lock; the stripe's lock
// guards it against other writers.
type set struct {
	tags atomic.Uint64 // byte i: eight bits of the hash of way i, never 0; 0: the way is empty
	ways [ways]atomic.Pointer[hotCopy]
}

// tagOf takes bits that do not choose the owner (the high ones).
func tagOf(hash uint64) uint64 { return max(hash>>40&tagByte, 1) }

// match sets the high bit of each byte of tags that equals tag. It may also set that of a byte above a match (the
// borrow), so a match must be checked. See "Determine if a word has a zero byte" in Anderson, Bit Twiddling Hacks.
func match(tags, tag uint64) uint64 {
	x := tags ^ tag*ones
	return (x - ones) &^ x & highs
}

// find returns the copy of a key, live or not, or nil. Safe without a lock: what it returns was in the set
// at some moment during the call.
func (s *set) find(hash uint64, key string) *hotCopy {
	for m := match(s.tags.Load(), tagOf(hash)); m != 0; m &= m - 1 {
		h := s.ways[bits.TrailingZeros64(m)/8].Load()
		if h != nil && h.hash == hash && h.entry.Key == key {
			return h
		}
	}
	return nil
}

// putLocked publishes a copy in a way, or empties the way if h is nil.
func (s *set) putLocked(way int, h *hotCopy) {
	s.ways[way].Store(h)
	tags := s.tags.Load() &^ (tagByte << (8 * way))
	if h != nil {
		tags |= tagOf(h.hash) << (8 * way)
	}
	s.tags.Store(tags)
}

// wayOfLocked returns where a copy is, or, of nil, where none is; -1 if nowhere.
func (s *set) wayOfLocked(h *hotCopy) int {
	for i := range s.ways {
		if s.ways[i].Load() == h {
			return i
		}
	}
	return -1
}

// oldestLocked returns the copy whose lease ends first, the one not renewed for longest, or nil.
func (s *set) oldestLocked() (oldest *hotCopy) {
	for i := range s.ways {
		if h := s.ways[i].Load(); h != nil && (oldest == nil || h.lease < oldest.lease) {
			oldest = h
		}
	}
	return oldest
}

// A stripe serves a part of the sets.
type stripe struct {
	mu sync.Mutex // guards the sets of the stripe against other writers; readers take no lock

	// marks counts the invalidations of the stripe's keys. Changed under mu, read by Begin without. A fetch
	// that began at another count is marked: it keeps nothing.
	marks atomic.Uint64
}

// A table is the sets and their stripes, both powers of two in number.
type table struct {
	sets    []set
	stripes []stripe
}

// Places are scattered hashes: whoever chooses keys cannot have them all in one set.
func (t *table) set(place uint64) *set       { return &t.sets[place&uint64(len(t.sets)-1)] }
func (t *table) stripe(place uint64) *stripe { return &t.stripes[place&uint64(len(t.stripes)-1)] }

// open returns the table, making it on first use, or nil if the cache is closed.
func (c *Cache) open() *table {
	if t := c.table.Load(); t != nil {
		return t
	}
	c.opening.Lock()
	defer c.opening.Unlock()
	if c.table.Load() == nil && !c.closed {
		c.table.Store(&table{sets: make([]set, c.shape.sets), stripes: make([]stripe, c.shape.stripes)})
	}
	return c.table.Load()
}
