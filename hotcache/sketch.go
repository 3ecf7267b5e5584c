package hotcache

import (
	"sync/atomic"
	"unsafe"
)

// A sketch remembers of keys without a copy how often they were read lately, and what their last
// copies were worth: it decides whose next read asks for one. It is a fixed table of counters with 32 bits of the hash of their key.
// Keys that share a row push out whichever is remembered for least, so a flood of keys that are
// read once pushes out others of its kind, and makes none look often read, as it would in a count-min sketch.
type sketch struct {
	rows  atomic.Pointer[[]row] // nil until the first touch
	count int                   // of rows, a power of two
	reads int                   // that a key needs for a copy; 0: by what a copy is worth
}

// A row is eight counters in one cache line: see counter.
type row [8]atomic.Uint64

// A counter is what is remembered of a key: its fingerprint, 32 bits; how often it was read since it had a
// copy, 12 bits; how many reads its next copy needs, as a power of two, 4 bits; and the age at which it was
// looked at last, 16 bits.
type counter uint64

func makeCounter(finger uint64, reads, need int, age uint16) counter {
	return counter(finger<<32 | uint64(reads)<<20 | uint64(need)<<16 | uint64(age))
}

func (c counter) finger() uint64 { return uint64(c) >> 32 }
func (c counter) reads() int     { return int(c >> 20 & maxReads) }
func (c counter) need() int      { return int(c >> 16 & 0xf) }
func (c counter) age() uint16    { return uint16(c) }

const (
	ageShift = 32 // an age is 2^32 ns, 4.3 s
	forget   = 42 // ages, three minutes, after which reads that were not followed by others count no more
	maxNeed  = 6  // 64 reads
	maxReads = 1<<12 - 1
	swaps    = 4 // tries before a contended read goes uncounted
)

const (
	bytesPerRow = 4 << 10 // rows take 1/64 of the budget
	minRows     = 4
	maxRows     = 32 << 10 // 2 MiB
)

func newSketch(maxBytes int64, reads int) sketch {
	return sketch{count: rowsFor(maxBytes), reads: reads}
}

func rowsFor(maxBytes int64) int {
	return max(minRows, powerOfTwo(max(min(maxBytes/bytesPerRow, maxRows), 1)))
}

func (s *sketch) bytes() int64 { return int64(s.count) * int64(unsafe.Sizeof(row{})) }

// ageOf returns the age of a time.
func ageOf(now int64) uint16 { return uint16(now >> ageShift) }

// since returns how many ages after another one is. Whoever read the clock a while ago may be before it.
func since(age, before uint16) int { return max(int(int16(age-before)), 0) }

// at returns what is left of a counter at an age: a key that was not read for long begins anew, and what
// its copies were not worth is forgotten by and by.
func (c counter) at(age uint16) counter {
	idle := since(age, c.age()) / forget
	if idle == 0 {
		return c
	}
	return makeCounter(c.finger(), 0, max(c.need()-idle, 0), age)
}

// touch counts a read, and reports whether the key now was read as often as it needs: in a cache with
// room once, else twice, and more if its copies were invalidated unread.
func (r *row) touch(finger uint64, age uint16, least int, worth bool) bool {
	enough := false
	r.change(finger, age, func(c counter) counter {
		need := least
		if worth {
			need = max(need, 1<<c.need())
		}
		reads := min(c.reads()+1, need) // until it has a copy each read asks for one
		enough = reads == need
		return makeCounter(finger, reads, c.need(), age)
	})
	return enough
}

// judge notes what a copy was worth that was invalidated: how often it had been read.
func (r *row) judge(finger uint64, age uint16, reads uint32) {
	r.change(finger, age, func(c counter) counter {
		need := c.need()
		switch {
		case reads == 0:
			need = min(need+1, maxNeed)
		case reads > 1:
			need = max(need-1, 0)
		}
		return makeCounter(finger, 0, need, age)
	})
}

func (r *row) change(finger uint64, age uint16, to func(counter) counter) {
	for range swaps {
		slot, old := r.slot(finger, age)
		c := makeCounter(finger, 0, 0, age)
		if old.finger() == finger {
			c = old.at(age)
		}
		next := to(c)
		// A counter that stands where it stood changes once in an age at most, however many goroutines read the key.
		if next == old || r[slot].CompareAndSwap(uint64(old), uint64(next)) {
			return
		}
	} // not counted, but others who read the same keys at this moment were
}

// slot returns the counter of a fingerprint with its value, or, if it has none, the one that is remembered for least.
//
// Two goroutines that bring a new key at once may each give it a counter. The first one found goes on, the other is forgotten.
func (r *row) slot(finger uint64, age uint16) (slot int, value counter) {
	least := int(^uint(0) >> 1)
	for i := range r {
		v := counter(r[i].Load())
		if v.finger() == finger {
			return i, v
		}
		if w := v.weight(age); w < least {
			slot, value, least = i, v, w
		}
	}
	return slot, value
}

// weight is how much a counter is worth keeping: a read counts for as much as a third of a minute, and what copies were
// not worth for more.
func (c counter) weight(age uint16) int {
	if c == 0 {
		return -1 << 16
	}
	return 5*min(c.reads(), 8) + 20*c.need() - since(age, c.age())
}
