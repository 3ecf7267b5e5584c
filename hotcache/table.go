package hotcache

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A hotCopy is one copy under a session. It is immutable but for two counters, and is never reused. It fills a
// cache line.
type hotCopy struct {
	hash    uint64
	session *session.Held // its owner's
	expires int64         // the value ends
	sent    int64         // when it was asked for
	tellAt  atomic.Int64  // from then on the owner wants to hear of a read
	size    int64         // what it was charged
	entry   *store.Entry
	uses    atomic.Uint32 // since it was kept, or last spared: up to maxUses, about
	reads   atomic.Uint32 // since it was kept: up to maxUses, about
}

// maxUses bounds how often a copy is spared for what it was used before.
const maxUses = 3

// use counts a read. Beside others it may count to more than maxUses, which does no harm; a copy that
// is read often changes no memory.
func (h *hotCopy) use() {
	if h.uses.Load() < maxUses {
		h.uses.Add(1)
	}
	if h.reads.Load() < maxUses {
		h.reads.Add(1)
	}
}

// isLive reports whether the copy may be served.
func (h *hotCopy) isLive(now int64) bool { return now < h.session.Until() && now < h.expires }

// isOver reports whether it never may again.
func (h *hotCopy) isOver(now int64) bool { return now >= h.expires || h.session.IsDead() }

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

// hasWay reports whether a way is empty. Safe without a lock.
func (s *set) hasWay() bool {
	tags := s.tags.Load()
	return (tags-ones)&^tags&highs != 0
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

// leastLocked returns the copy that was used least, and of these the oldest, or nil.
func (s *set) leastLocked() (least *hotCopy) {
	for i := range s.ways {
		h := s.ways[i].Load()
		if h == nil {
			continue
		}
		if least == nil || h.uses.Load() < least.uses.Load() || h.uses.Load() == least.uses.Load() && h.sent < least.sent {
			least = h
		}
	}
	return least
}

// ageLocked lets uses count less with time: those of each copy are halved.
func (s *set) ageLocked() {
	for i := range s.ways {
		if h := s.ways[i].Load(); h != nil {
			h.uses.Store(h.uses.Load() / 2)
		}
	}
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

// A shape is the dimensions of a table, fixed by the budget. Both are powers of two, sets is at least stripes.
type shape struct{ sets, stripes int }

const (
	// bytesPerSet makes the sets take 1/32 of the budget, and leaves 292 bytes for each of their seven ways: about
	// what a copy of a hundred bytes takes. With smaller values the ways run out before the bytes do.
	bytesPerSet = 2 << 10
	maxSets     = 1 << 16 // 4 MiB, for 458 752 copies

	// maxStripes bounds how often an invalidation marks a fetch of another key: with 1000 invalidations a second and
	// fetches of 1 ms, one fetch in 1000.
	maxStripes = 1 << 10
)

func shapeFor(maxBytes int64) shape {
	sets := powerOfTwo(min(maxBytes/bytesPerSet, maxSets))
	return shape{sets: sets, stripes: min(sets, maxStripes)}
}

func (s shape) bytes() int64 {
	return int64(unsafe.Sizeof(table{})) + int64(s.sets)*int64(unsafe.Sizeof(set{})) +
		int64(s.stripes)*int64(unsafe.Sizeof(stripe{}))
}

// powerOfTwo returns the largest power of two that is at most n, for n ≥ 1.
func powerOfTwo(n int64) int { return 1 << (bits.Len64(uint64(n)) - 1) }
