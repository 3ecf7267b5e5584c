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

// Get returns the copy of a key if its lease is live and its value has not expired, else nil. It takes no lock and
// does not allocate. The entry is shared and read-only; the key is not retained. now must have been read
// after the Get that it serves began: then a goroutine that is suspended here answers with what was valid in its time.
func (c *Cache) Get(hash uint64, key string, now int64) *store.Entry {
	if h := c.find(hash, key, now); h != nil {
		return h.entry
	}
	return nil
}

// GetRenew is Get, and asks one caller for each lease to renew it: renew is true for exactly one call, once less
// than a quarter of the time remains that the lease had when the copy was kept. Whoever gets it fetches
// the key again in the background. It is never true for a copy whose value expires before its lease, because fetching
// the same value again would not make it live longer.
func (c *Cache) GetRenew(hash uint64, key string, now int64) (e *store.Entry, renew bool) {
	h := c.find(hash, key, now)
	if h == nil {
		return nil, false
	}
	at := h.renewAt.Load()
	// Of two callers that both read a time that has come, the swap lets one pass. A renewed copy is a new hotCopy
	// with a time of its own, so a slow caller cannot use up the turn of the next lease.
	return h.entry, now >= at && h.renewAt.CompareAndSwap(at, math.MaxInt64)
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
	if h := t.set(c.scatter.Of(hash)).find(hash, key); h != nil && now < h.until {
		return h
	}
	return nil
}
