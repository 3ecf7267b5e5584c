package httppool

import (
	"sync/atomic"
	"time"
)

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

	resp  Response                    // the reading goroutine's while filling, the caller's once done
	large largeReply                  // of the goroutine that reads via
	via   atomic.Pointer[frameReader] // from which a large answer is read; nil: none is yet

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

// leftAt returns how much time the caller has left, 0: without limit.
func (cl *call) leftAt(now time.Time) time.Duration {
	if cl.deadline.IsZero() {
		return 0
	}
	return max(cl.deadline.Sub(now), time.Microsecond)
}

// finish hands the answer to the caller of a call that is filling.
func (cl *call) finish(resp Response) {
	cl.resp = resp
	cl.move(slotFilling, slotDone)
	cl.wake <- struct{}{} // never blocks: see call.wake
}

// A line holds calls whose requests wait to be written, in the order in which they came.
// Any of them can leave. It is guarded by callConn.mu, as are the calls' links.
type line struct {
	first, last *call
	n           int
}

// join puts cl, which is in no line, at the end.
func (l *line) join(cl *call) {
	cl.in, cl.ahead, cl.behind = l, l.last, nil
	if l.last == nil {
		l.first = cl
	} else {
		l.last.behind = cl
	}
	l.last = cl
	l.n++
}

// leave takes cl out.
func (l *line) leave(cl *call) {
	if cl.ahead == nil {
		l.first = cl.behind
	} else {
		cl.ahead.behind = cl.behind
	}
	if cl.behind == nil {
		l.last = cl.ahead
	} else {
		cl.behind.ahead = cl.ahead
	}
	cl.in, cl.ahead, cl.behind = nil, nil, nil
	l.n--
}

// next takes out the first, if there is one.
func (l *line) next() *call {
	cl := l.first
	if cl != nil {
		l.leave(cl)
	}
	return cl
}
