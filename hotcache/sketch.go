package hotcache

import (
	"sync/atomic"
	"unsafe"
)

// A sketch finds the keys that are read often. It is a fixed table of counters that leak: a read pours half a second
// into the counter of its key, time drains it, and the key is hot while the counter stands above a level. A counter that
// leaks is one number, the time at which it will be empty (the theoretical arrival time of the generic cell rate
// algorithm, ITU-T I.371), so nothing has to be aged: the clock does it.
//
// Each counter carries 32 bits of the hash of its key, and keys that share a row push out whoever would be empty first.
// A flood of cold keys therefore pushes out keys that are barely warm, and makes none look hot, as it would in a
// count-min sketch, where all that is read adds to all that is counted.
type sketch struct {
	rows  atomic.Pointer[[]row] // nil until the first touch
	count int                   // of rows, a power of two
	hot   int32                 // the level from which a key is hot, in ticks
}

// A row is eight counters in one cache line. Each is the fingerprint of a key, in the high half, and the tick at
// which it is empty, in the low half, modulo 2^32 ticks, which is 52 days.
type row [8]atomic.Uint64

const (
	tickShift       = 20                 // a tick is 2^20 ns, 1.05 ms
	pour      int32 = 500e6 >> tickShift // what a read adds: 2 reads a second never fill a counter
	lag       int32 = 60e9 >> tickShift  // how long ago a caller may have read the clock
	swaps           = 4                  // tries before a contended read goes uncounted
)

const (
	bytesPerRow = 4 << 10 // rows take 1/64 of the budget
	minRows     = 4
	maxRows     = 4 << 10 // 256 KiB
)

func newSketch(maxBytes int64, threshold int) sketch {
	return sketch{
		count: rowsFor(maxBytes),
		// The last of threshold reads finds the level this high if all came within 0.8 of a pour.
		hot: int32(threshold-1)*pour + pour/5,
	}
}

func rowsFor(maxBytes int64) int {
	return max(minRows, powerOfTwo(max(min(maxBytes/bytesPerRow, maxRows), 1)))
}

func (s *sketch) bytes() int64 { return int64(s.count) * int64(unsafe.Sizeof(row{})) }

// Touch counts a read of a key that had no copy here. It reports whether the key is hot: then the fetch should ask for
// a lease. It takes no lock, and allocates once, its table. The table is fixed by MaxBytes, from 256 bytes to 256 KiB
// and 128 KiB by default, which tells 16 384 keys apart at a time.
func (c *Cache) Touch(hash uint64, now int64) bool {
	if c == nil {
		return false
	}
	rows := c.sketch.rows.Load()
	if rows == nil {
		if rows = c.openSketch(); rows == nil {
			return false
		}
	}
	place := c.scatter.Of(hash)
	r := &(*rows)[place&uint64(len(*rows)-1)]
	return r.touch(place>>32, uint32(now>>tickShift), c.sketch.hot)
}

// openSketch returns the rows, making them on first use, or nil if the cache is closed.
func (c *Cache) openSketch() *[]row {
	c.opening.Lock()
	defer c.opening.Unlock()
	if c.sketch.rows.Load() == nil && !c.closed {
		rows := make([]row, c.sketch.count)
		c.sketch.rows.Store(&rows)
	}
	return c.sketch.rows.Load()
}

// touch pours into the counter of a fingerprint and reports whether it is now at the level hot or above. Levels stop
// one pour above hot, so that a key cools as fast however hot it was.
func (r *row) touch(finger uint64, now uint32, hot int32) bool {
	level := pour
	for range swaps {
		slot, old := r.slot(finger, now, hot+pour)
		level = pour
		if old>>32 == finger {
			level = min(levelOf(old, now, hot+pour)+pour, hot+pour)
		}
		next := finger<<32 | uint64(now+uint32(level))
		// A counter that stands at its limit changes once in a tick at most, however many goroutines read the key.
		if next == old || r[slot].CompareAndSwap(old, next) {
			return level >= hot
		}
	}
	return level >= hot // not counted, but others who read the same keys at this moment were
}

// slot returns the counter of a fingerprint with its value, or, if it has none, the one that is empty first.
//
// Two goroutines that bring a new key at once may each give it a counter. The first one found goes on, the other drains.
func (r *row) slot(finger uint64, now uint32, limit int32) (slot int, value uint64) {
	lowest := limit + 1
	for i := range r {
		v := r[i].Load()
		if v>>32 == finger {
			return i, v
		}
		if l := levelOf(v, now, limit); l < lowest {
			slot, value, lowest = i, v, l
		}
	}
	return slot, value
}

// levelOf returns how much a counter holds, in ticks. It may seem to hold more than the limit to a goroutine that read
// the clock a while ago. If it does by more than lag, it was last used 26 days ago, and the clock has come around.
func levelOf(v uint64, now uint32, limit int32) int32 {
	l := int32(uint32(v) - now)
	if l < 0 || l > limit+lag {
		return 0
	}
	return min(l, limit)
}
