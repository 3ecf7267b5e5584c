package httppool

import (
	"slices"
	"sync/atomic"
	"time"
)

// maxSlots bounds the unanswered calls of a connection: a frame's id is the slot's
// index in its low half and the slot's generation in its high half.
const maxSlots = 1 << 16

// minSlots is how many slots a connection has at least, once it was called over.
const minSlots = 16

// States of a slot, in the low byte of call.word; above it stands the generation.
const (
	slotFree      = iota // in the free list
	slotWaiting          // a caller waits for the answer
	slotFilling          // the reading goroutine writes call.resp, which takes no time
	slotDone             // the answer is in call.resp; the caller was woken
	slotAbandoned        // the caller left; the answer will free the slot
	slotFailed           // the connection failed first; the caller was woken
	slotSilent           // the peer is silent; the caller was woken, and has yet to abandon
	slotLate             // and the answer came before it did so
)

// call is one slot of a connection's table, used for one call after another.
//
//	free → waiting → filling → done → free     the answer came
//	       waiting → abandoned → free          the caller left first
//	       waiting → failed                    the connection is over, and so its table
//	       waiting → silent → abandoned → free the peer is silent, and the call idempotent
//	                 silent → late → free
type call struct {
	word  atomic.Uint64 // generation<<8 | state
	wake  chan struct{} // capacity 1: one token for each move to done, failed or silent
	index uint32

	resp  Response                 // the reading goroutine's while filling, the caller's once done
	large largeReply               // of the goroutine that reads via
	via   atomic.Pointer[callConn] // over which a large answer comes; nil: none does yet

	// Guarded by callConn.mu.
	start, end uint64 // place of the request's bytes in the stream; end is set with its last byte
	complete   bool   // all of the request is in the buffer or beyond
	idempotent bool
	bytes      int // counted in callConn.unanswered

	// Of a request that had to wait; guarded by callConn.mu.
	in            *line    // where it waits; nil: nowhere
	ahead, behind *call    // its neighbours there
	req           *Request // until it is complete
	deadline      time.Time
	offset        int // bytes of req.Value in the buffer or beyond
}

// largeReply is a response whose value arrives in data frames.
type largeReply struct {
	resp  Response
	value largeValue
}

func (cl *call) id() uint32 {
	return uint32(cl.word.Load()>>8)<<16 | cl.index
}

// move changes the state unless another party did so first.
func (cl *call) move(from, to uint64) bool {
	w := cl.word.Load()
	return w&0xff == from && cl.word.CompareAndSwap(w, w&^0xff|to)
}

// openLocked takes a free slot and makes it wait. It returns nil when all maxSlots
// are taken.
func (c *callConn) openLocked() *call {
	var cl *call
	if n := len(c.free); n > 0 {
		cl = c.free[n-1]
		c.free = c.free[:n-1]
	} else if n := len(c.high); n > 0 {
		cl = c.high[n-1]
		c.high = c.high[:n-1]
	} else if cl = c.growLocked(); cl == nil {
		return nil
	}
	generation := (cl.word.Load()>>8 + 1) & 0xffff
	cl.word.Store(generation<<8 | slotWaiting)
	c.inflight++
	c.peak = max(c.peak, c.inflight)
	return cl
}

// growLocked adds a slot. The reading goroutine looks slots up without the lock, so
// a full table is replaced rather than changed.
func (c *callConn) growLocked() *call {
	n := c.used
	if n == maxSlots {
		return nil
	}
	table := *c.slots.Load()
	if n == len(table) {
		bigger := make([]*call, max(minSlots, 2*n))
		copy(bigger, table)
		for i := n; i < len(bigger); i++ {
			bigger[i] = &call{index: uint32(i), wake: make(chan struct{}, 1)}
		}
		c.slots.Store(&bigger)
		table = bigger
	}
	c.used++
	return table[n]
}

// shrinkLocked gives back the slots of a burst. Each look takes a quarter off the peak
// to which it keeps the table, so that a burst that comes again soon finds its slots.
// Slots above it are taken only when there is no other, until all of them are free.
func (c *callConn) shrinkLocked() {
	c.peak -= (c.peak - c.inflight + 3) / 4
	table, keep := *c.slots.Load(), minSlots
	for keep < c.peak {
		keep *= 2
	}
	if keep >= len(table) {
		keep = maxSlots
	}
	if keep != c.keep {
		all := slices.Concat(c.free, c.high)
		c.keep, c.free, c.high = keep, nil, nil
		for _, cl := range all {
			if int(cl.index) < keep {
				c.free = append(c.free, cl)
			} else {
				c.high = append(c.high, cl)
			}
		}
	}
	if keep >= len(table) || len(c.high) < c.used-keep {
		return
	}
	c.slots.Store(new(slices.Clone(table[:keep])))
	c.used = min(c.used, keep)
	c.keep, c.high = maxSlots, nil
}

// releaseLocked puts a slot back when nobody will touch its call again. It reports
// whether that was the last call of a connection that is to end.
func (c *callConn) releaseLocked(cl *call) (last bool) {
	//lint:ignore SA4016 slotFree happens to be zero
	cl.word.Store(cl.word.Load()&^0xff | slotFree)
	cl.resp, cl.req = Response{}, nil
	cl.complete, cl.offset = false, 0
	c.unanswered -= cl.bytes
	cl.bytes = 0
	c.inflight--
	if int(cl.index) < c.keep {
		c.free = append(c.free, cl)
	} else {
		c.high = append(c.high, cl)
	}
	return c.leaving && c.inflight == 0
}

func (c *callConn) release(cl *call) {
	c.mu.Lock()
	last := c.releaseLocked(cl)
	c.mu.Unlock()
	c.parted(last)
}

// lookup returns the slot that an answer's id names, which must be one that is
// waiting, silent or abandoned.
func (c *callConn) lookup(id uint32) (*call, error) {
	table := *c.slots.Load()
	if i := int(id & 0xffff); i < len(table) {
		cl := table[i]
		w := cl.word.Load()
		if w>>8 == uint64(id>>16) && (w&0xff == slotWaiting || w&0xff == slotAbandoned || w&0xff == slotSilent) {
			return cl, nil
		}
	}
	return nil, badFrame(badOrder, "answer to call %#x, which is not under way", id)
}
