package httppool

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// serveConn is the answering end of a peer connection. One goroutine of the pool reads
// it; calls that ServeFast does not answer run on goroutines that it waits for.
type serveConn struct {
	pool   *core
	nc     net.Conn
	from   string // the caller's id
	nonce  []byte // by which the caller names this connection
	since  time.Time
	addr   string
	lim    limits // the caller's
	rd     *frameReader
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	wg     sync.WaitGroup // calls on their own goroutines, and writers
	watch  watch

	pair[serveConn]

	// The reading goroutine's.
	req     Request
	resp    Response
	partial map[uint32]*partial // requests whose value is still arriving; at most maxPartial

	// The writer's, while it holds that role: what one writev takes.
	vec  [2][]byte
	bufs net.Buffers

	mu sync.Mutex // guards all below
	answers
	writing    bool // some goroutine holds the role of the writer
	writes     uint64
	running    map[uint32]context.CancelFunc // calls on their own goroutines
	held       int                           // bytes of their requests and of partial ones
	heldMax    int                           // bounds held
	err        error                         // why the connection ended
	fast, slow uint64                        // calls answered by ServeFast, handed to Serve
	bytesOut   uint64
}

// partial is a request whose value is still arriving.
type partial struct {
	body  []byte // a copy of the head's frame
	value largeValue
	until time.Time // the caller's deadline; zero: none
	held  int
}

// fail ends the connection: handlers see their context end, writers stop.
func (c *serveConn) fail(err error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = err
	}
	c.large = nil
	for i := range c.line {
		for _, a := range c.line[i] {
			close(a.done)
		}
		c.line[i] = nil
	}
	c.mu.Unlock()
	c.cancel()
	closeNow(c.nc)
	if m := c.mate(); first && m != nil {
		m.fail(errMate)
	}
}

// holdLocked counts n bytes of a request as held, or reports that there are too many.
func (c *serveConn) holdLocked(n int) bool {
	if c.held+n > c.heldMax {
		return false
	}
	c.held += n
	return true
}

func (c *serveConn) unhold(n int) {
	c.mu.Lock()
	c.held -= n
	c.mu.Unlock()
}

func (c *serveConn) serves() bool { return true }

// tie makes carrier, which nobody else knows yet, carry the large answers to c's calls,
// unless c has a carrier or has ended.
func (c *serveConn) tie(carrier *serveConn) bool {
	carrier.carries = c
	if !c.carrier.CompareAndSwap(nil, carrier) {
		carrier.carries = nil
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err == nil
}

func (c *serveConn) tally(s *Stats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.ServedFast += c.fast
	s.Served += c.slow
	s.BytesOut += c.bytesOut
	s.BytesIn += c.rd.bytes.Load()
}

// look drops the connection when its caller does not read, or has been silent for
// twice the idle time, so that a caller with the same settings closes it first.
func (c *serveConn) look(now time.Time) {
	w := &c.watch
	if w.used.IsZero() {
		w.used, w.wrote = now, now
	}
	c.mu.Lock()
	if reads := c.rd.reads.Load(); len(c.running) > 0 || reads != w.reads {
		w.used, w.reads = now, reads
	} else if !c.writing && len(c.buf) == 0 {
		c.buf, c.spare = nil, nil // a burst's memory
	}
	if !c.writing || c.writes != w.writes {
		w.wrote, w.writes = now, c.writes
	}
	c.mu.Unlock()
	switch {
	case now.Sub(w.used) >= 2*c.pool.cfg.IdleTimeout && (c.mate() == nil || now.Sub(c.mate().watch.used) >= 2*c.pool.cfg.IdleTimeout):
		c.fail(fmt.Errorf("%w: %w", ErrConnLost, errIdle))
	case now.Sub(w.wrote) >= c.pool.cfg.SilenceTimeout:
		c.fail(fmt.Errorf("%w: the caller does not read", ErrConnLost))
	}
}

// idle reports whether no call is under way whose answer is not in line yet. c may be nil.
func (c *serveConn) idle() bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.running) == 0 && !c.writing
}
