package httppool

import (
	"context"
	"math/bits"
	"time"
	"unsafe"
)

// Large values are copied by the one goroutine that reads a connection, and by the
// kernel for the one that writes it: with a second connection another core copies
// too, which on two cores carries a fifth to a third more. It pays only if a caller
// keeps to one of them. Those that are answered together then ask together, in one
// write; if they took turns, each group would become two, half as large. Small
// values, whose cost is in the groups, all go over the first connection.

// conn returns a connection that takes calls with values of a size, dialling if it must and may.
func (q *Peer) conn(ctx context.Context, size int) (*callConn, error) {
	if c := q.open(size); c != nil {
		return c, nil
	}
	d, err := q.join(0)
	if err != nil {
		return nil, err
	}
	return q.await(ctx, d)
}

// open returns an open connection for the calling goroutine's call with a value of a
// size, or nil if there is none.
func (q *Peer) open(size int) *callConn {
	at := 0
	switch {
	case len(q.places) == 1:
	case size > carryFrom:
		q.haul()
		if q.carriable() {
			at = 1
		}
	case q.bulky() && !q.hauling():
		at = home(len(q.places))
	}
	if c := q.places[at].conn.Load(); c != nil {
		return c
	}
	q.dialSoon(at)
	for i := range q.places { // any is better than to wait
		if c := q.places[i].conn.Load(); c != nil {
			return c
		}
	}
	return nil
}

// bulky reports whether one of the connections is.
func (q *Peer) bulky() bool {
	for i := range q.places {
		if c := q.places[i].conn.Load(); c != nil && c.bulky.Load() {
			return true
		}
	}
	return false
}

// home returns a number below n that is the same for one goroutine from call to call,
// and spread evenly over goroutines: it derives from where the goroutine's stack is.
// It changes when the stack moves, and may differ between deep calls and shallow ones,
// which does no harm.
func home(n int) int {
	var here byte
	const pageShift, golden = 12, 0x9e3779b97f4a7c15
	page := uint64(uintptr(unsafe.Pointer(&here)) >> pageShift)
	at, _ := bits.Mul64(page*golden, uint64(n))
	return int(at)
}

// haul notes that a value above carryFrom is sent or comes.
func (q *Peer) haul() {
	if len(q.places) > 1 {
		q.hauled.Store(time.Now().UnixNano())
		if q.places[1].conn.Load() == nil && q.carriable() {
			q.dialSoon(1)
		}
	}
}

// carriable reports whether the first connection can have a carrier: the peer knows a
// connection for certain once it has sent something there.
func (q *Peer) carriable() bool {
	c := q.places[0].conn.Load()
	return c != nil && c.rd.bytes.Load() > 0
}

// hauling reports whether one was of late.
func (q *Peer) hauling() bool {
	last := q.hauled.Load()
	return last != 0 && time.Now().UnixNano()-last < int64(haulFor)
}
