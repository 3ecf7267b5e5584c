package httppool

import (
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
const (
	bulkyFrom  = 1024 // mean bytes of an answer from which a connection is bulky
	bulkyUntil = 512  // below, it is not any more
	meanOf     = 8    // answers, about, that make up the mean
)

// weigh notes the size of an answer. Only the reading goroutine calls it.
func (c *callConn) weigh(size int) {
	c.mean += (size - c.mean) / meanOf
	if bulky := c.bulky.Load(); !bulky && c.mean >= bulkyFrom || bulky && c.mean < bulkyUntil {
		c.bulky.Store(!bulky)
	}
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

// dialPause is the least time between two dials that nobody waits for.
const dialPause = 5 * time.Second

// dialSoon dials for a place in the background.
func (q *Peer) dialSoon(at int) {
	now, p := time.Now().UnixNano(), &q.places[at]
	if due := p.due.Load(); now >= due && p.due.CompareAndSwap(due, now+int64(dialPause)) {
		q.join(at) // an error means that it is too early: next time
	}
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
