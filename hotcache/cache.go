package hotcache

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A Cache holds hot copies of one group's keys that other members own. All methods are safe for concurrent use. All
// work on a nil *Cache, which holds nothing and finds nothing hot: the way to switch hot copies off.
//
// Hashes must be well-mixed and the same for every call with one key; keys of equal hash are told apart.
type Cache struct {
	// Read by every Get, changed when a copy comes or goes.
	copies atomic.Int64          // copies in the table
	table  atomic.Pointer[table] // nil until the first Begin, and after Close

	// Fixed by New, but for Resize.
	scatter    store.Scatter // from hashes to places in table and sketch
	shape      shape         // of the table to be made; guarded by opening
	capacity   atomic.Int64  // bytes that copies may take
	ignoreMark bool

	// barred counts the reasons why a fetch that begins now must keep nothing: each Retain under way, and Close.
	barred atomic.Int64

	sketch sketch

	_    [64]byte      // keeps what writers change away from what readers read
	used atomic.Int64  // bytes charged for copies, published or about to be; never above capacity
	hand atomic.Uint64 // the set where the last search for room ended
	counters

	opening sync.Mutex // guards closed, shape and sketch.count, and making and removing the table and the sketch's rows
	closed  bool
}

// Get returns the copy of a key if its session stands and its value has not expired, else nil. It takes no lock and
// does not allocate. The entry is shared and read-only; the key is not retained. now must have been read
// after the Get that it serves began: then a goroutine that is suspended here answers with what was valid in its time.
func (c *Cache) Get(hash uint64, key string, now int64) *store.Entry {
	if h := c.find(hash, key, now); h != nil {
		return h.entry
	}
	return nil
}

// GetUntil is Get, and returns until when the copy may be served, unless its session is renewed.
func (c *Cache) GetUntil(hash uint64, key string, now int64) (e *store.Entry, until int64) {
	if h := c.find(hash, key, now); h != nil {
		return h.entry, min(h.session.Until(), h.expires)
	}
	return nil, 0
}

// A Due is what a Hit asks its caller to see to, in the background. Each is asked of one caller.
type Due uint8

const (
	DueSession Due = 1 << iota // the session of the copy's owner is to be renewed
	DueValue                   // the owner wants to hear of a read: it may load the value anew
)

// Hit is Get that counts as a use of the copy, and says what is due.
func (c *Cache) Hit(hash uint64, key string, now int64) (e *store.Entry, due Due) {
	h := c.find(hash, key, now)
	if h == nil {
		return nil, 0
	}
	h.use()
	if h.session.Due(now) {
		due = DueSession
	}
	// Of two callers that both read a time that has come, the swap lets one pass.
	if at := h.tellAt.Load(); now >= at && h.tellAt.CompareAndSwap(at, math.MaxInt64) {
		due |= DueValue
	}
	return h.entry, due
}

// find returns the live copy of a key, or nil.
//
// The schedule it rests on: 1. Invalidate stores nil in the way, and returns; 2. a Get starts and loads that way. The
// loads and stores of sync/atomic have one order, so the Get finds nil or something newer. The count and the tags only
// say where to look: one that lags behind makes a miss, never a hit.
func (c *Cache) find(hash uint64, key string, now int64) *hotCopy {
	if c == nil || c.copies.Load() == 0 {
		return nil
	}
	t := c.table.Load()
	if t == nil { // closed since
		return nil
	}
	if h := t.set(c.scatter.Of(hash)).find(hash, key); h != nil && h.isLive(now) {
		return h
	}
	return nil
}

// counters count events since New.
type counters struct {
	kept, marked, overBudget, lapsed, superseded, evicted, invalidated atomic.Uint64
}

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

// Touch counts a read of a key that had no copy here. It reports whether the fetch should ask for a copy. With Options.Threshold
// the key must have been read so often in the last minutes; else once while there is room, twice when there is none, and more
// often if its copies were invalidated before anybody read them. It takes no lock, and allocates once, its table. The table is
// fixed by MaxBytes, from 256 bytes to 2 MiB and 128 KiB by default, which tells 16 384 keys apart at a time.
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
	if c.sketch.reads > 0 {
		return r.touch(place>>32, ageOf(now), c.sketch.reads, false)
	}
	least := 2
	if c.hasRoom(place) {
		least = 1
	}
	return r.touch(place>>32, ageOf(now), least, true)
}

// hasRoom reports whether another copy would push out none.
func (c *Cache) hasRoom(place uint64) bool {
	if capacity := c.capacity.Load(); c.used.Load() > capacity-capacity/16 {
		return false
	}
	t := c.table.Load()
	return t == nil || t.set(place).hasWay()
}

// judge remembers what a copy was worth that is invalidated.
func (c *Cache) judge(place uint64, h *hotCopy, now int64) {
	if rows := c.sketch.rows.Load(); rows != nil && c.sketch.reads == 0 {
		(*rows)[place&uint64(len(*rows)-1)].judge(place>>32, ageOf(now), h.reads.Load())
	}
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
