package httppool

import (
	"math/bits"
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

// bulky reports whether one of the connections is.
func (q *Peer) bulky() bool {
	for i := range q.conns {
		if c := q.conns[i].Load(); c != nil && c.bulky.Load() {
			return true
		}
	}
	return false
}

// another returns the connection that the calling goroutine keeps to, or nil if that
// is not there yet: it is dialled, and nobody waits for it.
func (q *Peer) another() *callConn {
	place := home(len(q.conns))
	c := q.conns[place].Load()
	if c == nil {
		q.join(place) // an error means that it is too early to try again
	}
	return c
}

// home returns a number below n that is the same for one goroutine from call to call,
// and spread evenly over goroutines: it derives from where the goroutine's stack is.
// If the stack moves, it may change once, which does no harm.
func home(n int) int {
	var here byte
	const stackShift, golden = 12, 0x9e3779b97f4a7c15
	page := uint64(uintptr(unsafe.Pointer(&here)) >> stackShift)
	place, _ := bits.Mul64(page*golden, uint64(n))
	return int(place)
}
