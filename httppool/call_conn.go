package httppool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// bufferMax is how many bytes of requests may wait to be written. Those beyond
	// wait in line, uncopied, with their callers.
	bufferMax = 256 << 10
	// directMax is how many unanswered bytes a caller may have written by itself: so
	// few always fit the kernel's buffers, and the write cannot block the caller
	// beyond its context.
	directMax = 16 << 10
)

// callConn is the calling end of a peer connection. Its goroutines, readLoop and
// writeLoop, belong to the pool and end when the connection does.
type callConn struct {
	pool   *Pool
	peer   *Peer
	place  int    // index in peer.places
	id     string // of the other end
	nonce  []byte // by which the peer knows this connection
	nc     net.Conn
	direct bool   // writes of up to directMax go to a kernel's buffer
	lim    limits // the peer's
	rd     *frameReader
	slots  atomic.Pointer[[]*call]
	watch  watch
	bulky  atomic.Bool // see spread.go

	// See carrier.go. At most one of both is not nil.
	carries *callConn                // the connection that this one is the carrier of
	carrier atomic.Pointer[callConn] // of this one

	// The reading goroutine's.
	woken int // calls answered since it last ran out of bytes
	mean  int // of the sizes of answers

	kick chan struct{} // capacity 1: hands the role of the writer to writeLoop
	dead chan struct{} // closed by fail

	mu sync.Mutex // guards all below, and the fields of call that say so
	// buf holds the frames that wait to be written; base is the place of its first
	// byte in the stream, so what lies below base was handed to a write.
	buf, spare []byte
	base       uint64
	small      line    // requests for which buf had no room
	large      line    // requests too large for buf, that were not begun
	partial    []*call // those that were, at most maxPartial; they take turns
	writing    bool    // someone holds the role of the writer
	writes     uint64  // finished writes
	free, high []*call // free slots below keep, and from it up
	keep       int     // slots from it up are to be given back
	used       int     // slots that were ever taken
	inflight   int     // slots that are not free
	peak       int     // of inflight, of late
	unanswered int     // bytes of requests without an answer
	leaving    bool
	err        error // why the connection failed; nil while it lives
	calls      uint64
	bytesOut   uint64
	pong       chan struct{} // closed with the next pong; nil: nobody waits for one
}

func newCallConn(q *Peer, place int, o opened) *callConn {
	c := &callConn{
		pool: q.pool, peer: q, place: place, id: o.id, nonce: o.nonce, nc: o.conn, direct: kernelBuffered(o.conn), lim: o.lim,
		rd:   newFrameReader(o.conn, o.first),
		kick: make(chan struct{}, 1), dead: make(chan struct{}), keep: maxSlots,
	}
	c.slots.Store(new([]*call))
	if len(q.pool.cfg.Secret) == 0 {
		// The server takes this end for a peer's when it has a frame, and a call may not come.
		c.buf = appendHeader(nil, framePing, 0, 0)
		c.writing = true
		c.kick <- struct{}{}
	}
	return c
}

// kernelBuffered reports whether a small write to conn cannot wait for the peer.
func kernelBuffered(conn net.Conn) bool {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn()
	}
	_, ok := conn.(*net.TCPConn)
	return ok
}

// begin posts a call and sees to it that it is written.
func (c *callConn) begin(ctx context.Context, req *Request) (*call, error) {
	deadline, _ := ctx.Deadline()
	cl, role, err := c.post(req, deadline)
	if err != nil {
		return nil, err
	}
	c.act(role)
	return cl, nil
}

// wait waits for the answer to a call that has begun. sent is meaningful with an
// error: false means that no handler saw the request. errRetry, wrapped, with sent
// false allows another connection.
func (c *callConn) wait(ctx context.Context, cl *call, resp *Response) (sent bool, err error) {
	if done := ctx.Done(); done == nil {
		<-cl.wake
	} else {
		select {
		case <-cl.wake:
		case <-done:
			left, sent := c.abandon(cl, slotWaiting)
			if left {
				return sent, ctx.Err()
			}
			<-cl.wake // the answer came at the same time
		}
	}
	switch cl.word.Load() & 0xff {
	case slotFailed:
		return c.fate(cl)
	case slotSilent, slotLate:
		left, sent := c.abandon(cl, slotSilent)
		if !left {
			c.release(cl)
			sent = true
		}
		return sent, ErrSilent
	}
	*resp = cl.resp
	c.release(cl)
	return false, nil
}

// fate returns the outcome of a call that failed with its connection.
func (c *callConn) fate(cl *call) (sent bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sent = c.sentLocked(cl); sent {
		return true, c.err
	}
	return false, c.whyLocked()
}

// sentLocked reports whether the peer may have all of the request.
func (c *callConn) sentLocked(cl *call) bool { return cl.complete && cl.end <= c.base }

// role says what a goroutine must do for the writer after it released the lock.
type role uint8

const (
	roleNone   role = iota
	roleKick        // wake writeLoop, which then is the writer
	roleDirect      // be the writer: calls are under way whose frames may join
	roleAlone       // be the writer: this is the only call
)

// post takes a slot and puts the request in line to be written.
func (c *callConn) post(req *Request, deadline time.Time) (*call, role, error) {
	var timeout time.Duration
	if !deadline.IsZero() {
		if timeout = time.Until(deadline); timeout <= 0 {
			return nil, roleNone, context.DeadlineExceeded
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.leaving {
		return nil, roleNone, c.whyLocked()
	}
	if err := c.lim.check(req); err != nil {
		return nil, roleNone, fmt.Errorf("the peer's limit: %w", err)
	}
	cl := c.openLocked()
	if cl == nil {
		return nil, roleNone, ErrOverloaded
	}
	cl.idempotent = req.Idempotent
	c.calls++
	switch {
	case len(req.Value) > inlineMax:
		cl.req, cl.deadline = req, deadline
		c.large.join(cl)
	case c.small.n > 0 || len(c.buf) > bufferMax: // no request overtakes one that waits
		cl.req, cl.deadline = req, deadline
		c.small.join(cl)
	default:
		c.putLocked(cl, req, timeout)
	}
	return cl, c.takeRoleLocked(), nil
}

// takeRoleLocked gives the role of the writer to the caller of it, or to writeLoop
// when the write might block, or to nobody when someone holds it.
func (c *callConn) takeRoleLocked() role {
	switch {
	case c.writing:
		return roleNone
	case !c.direct || c.waitingLocked() || c.unanswered > directMax:
		c.writing = true
		return roleKick
	case c.inflight > 1:
		c.writing = true
		return roleDirect
	default:
		c.writing = true
		return roleAlone
	}
}

func (c *callConn) act(r role) {
	switch r {
	case roleNone:
		return
	case roleDirect:
		// Let the callers that were woken together with this one add their frames.
		runtime.Gosched()
		fallthrough
	case roleAlone:
		if !c.writeOnce() {
			return
		}
	}
	// Never blocks: only the holder of the role sends, and writeLoop takes the token
	// before it gives the role away.
	c.kick <- struct{}{}
}

// abandon takes a caller off its call, which is waiting or silent. left is false when
// the answer is there already. sent is as in wait.
func (c *callConn) abandon(cl *call, from uint64) (left, sent bool) {
	c.mu.Lock()
	if !cl.move(from, slotAbandoned) {
		c.mu.Unlock()
		return false, false
	}
	r, last := roleNone, false
	switch {
	case c.err != nil:
		sent = c.sentLocked(cl) // the table is never used again
	case cl.in != nil:
		cl.in.leave(cl)
		last = c.releaseLocked(cl)
	case cl.start >= c.base:
		// Still in the buffer: make it a frame that says nothing.
		putHeader(c.buf[cl.start-c.base:], frameSkip, cl.id(), cl.bytes-headerSize)
		last = c.releaseLocked(cl)
	default:
		if sent = cl.complete; !sent {
			c.partial = slices.DeleteFunc(c.partial, func(other *call) bool { return other == cl })
			cl.req = nil
		}
		c.buf = appendHeader(c.buf, frameCancel, cl.id(), 0)
		if r = c.takeRoleLocked(); r != roleNone {
			r = roleKick // this caller is not to wait for a write
		}
	}
	c.mu.Unlock()
	c.act(r)
	c.parted(last)
	return true, sent
}

// errRetry marks an error of a connection that failed before it took the request.
var errRetry = errors.New("connection no longer usable")

func (c *callConn) whyLocked() error {
	if c.err == nil {
		return fmt.Errorf("%w: %w: the peer is closing it", ErrConnLost, errRetry)
	}
	return fmt.Errorf("%w (%w)", c.err, errRetry)
}
