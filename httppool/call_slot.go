package httppool

import (
	"slices"
	"sync/atomic"
)

// maxSlots bounds the unanswered calls of a connection: a frame's id is the slot's
// index in its low half and the slot's generation in its high half.
const maxSlots = 1 << 16

// minSlots is how many slots a connection has at least, once it was called over.
const minSlots = 16

// slotTable has the slots of a connection. The reading goroutine looks them up without a lock;
// all else is guarded by callConn.mu.
type slotTable struct {
	slots atomic.Pointer[[]*call]

	_ [64]byte // keeps what callers write away from what the reading goroutine reads

	free, high []*call // free slots below keep, and from it up
	keep       int     // slots from it up are to be given back
	used       int     // slots that were ever taken
	inflight   int     // slots that are not free
	peak       int     // of inflight, of late
}

// openLocked takes a free slot and makes it wait. It returns nil when all maxSlots
// are taken.
func (t *slotTable) openLocked() *call {
	var cl *call
	if n := len(t.free); n > 0 {
		cl = t.free[n-1]
		t.free = t.free[:n-1]
	} else if n := len(t.high); n > 0 {
		cl = t.high[n-1]
		t.high = t.high[:n-1]
	} else if cl = t.growLocked(); cl == nil {
		return nil
	}
	generation := (cl.word.Load()>>8 + 1) & 0xffff
	cl.word.Store(generation<<8 | slotWaiting)
	t.inflight++
	t.peak = max(t.peak, t.inflight)
	return cl
}

// growLocked adds a slot. The reading goroutine looks slots up without the lock, so
// a full table is replaced rather than changed.
func (t *slotTable) growLocked() *call {
	n := t.used
	if n == maxSlots {
		return nil
	}
	table := *t.slots.Load()
	if n == len(table) {
		bigger := make([]*call, max(minSlots, 2*n))
		copy(bigger, table)
		for i := n; i < len(bigger); i++ {
			bigger[i] = &call{index: uint32(i), wake: make(chan struct{}, 1)}
		}
		t.slots.Store(&bigger)
		table = bigger
	}
	t.used++
	return table[n]
}

// shrinkLocked gives back the slots of a burst. Each look takes a quarter off the peak
// to which it keeps the table, so that a burst that comes again soon finds its slots.
// Slots above it are taken only when there is no other, until all of them are free.
func (t *slotTable) shrinkLocked() {
	t.peak -= (t.peak - t.inflight + 3) / 4
	table, keep := *t.slots.Load(), minSlots
	for keep < t.peak {
		keep *= 2
	}
	if keep >= len(table) {
		keep = maxSlots
	}
	if keep != t.keep {
		all := slices.Concat(t.free, t.high)
		t.keep, t.free, t.high = keep, nil, nil
		for _, cl := range all {
			if int(cl.index) < keep {
				t.free = append(t.free, cl)
			} else {
				t.high = append(t.high, cl)
			}
		}
	}
	if keep >= len(table) || len(t.high) < t.used-keep {
		return
	}
	t.slots.Store(new(slices.Clone(table[:keep])))
	t.used = min(t.used, keep)
	t.keep, t.high = maxSlots, nil
}

// lookup returns the slot that an answer's id names, which must be one that is
// waiting, silent or abandoned.
func (t *slotTable) lookup(id uint32) (*call, error) {
	table := *t.slots.Load()
	if i := int(id & 0xffff); i < len(table) {
		cl := table[i]
		w := cl.word.Load()
		if w>>8 == uint64(id>>16) && (w&0xff == slotWaiting || w&0xff == slotAbandoned || w&0xff == slotSilent) {
			return cl, nil
		}
	}
	return nil, badFrame(badOrder, "answer to call %#x, which is not under way", id)
}

// freeLocked puts a slot back when nobody will touch its call again.
func (t *slotTable) freeLocked(cl *call) {
	//lint:ignore SA4016 slotFree happens to be zero
	cl.word.Store(cl.word.Load()&^0xff | slotFree)
	cl.resp, cl.req = Response{}, nil
	cl.complete, cl.offset = false, 0
	t.inflight--
	if int(cl.index) < t.keep {
		t.free = append(t.free, cl)
	} else {
		t.high = append(t.high, cl)
	}
}
