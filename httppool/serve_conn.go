package httppool

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// maxLarge is how many large answers of one connection may wait to be written.
const maxLarge = 64

// serveConn is the answering end of a peer connection. One goroutine of the pool reads
// it; calls that ServeFast does not answer run on goroutines that it waits for.
type serveConn struct {
	pool   *Pool
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

	// See carrier.go. At most one of both is not nil.
	carries *serveConn                // the connection that this one is the carrier of
	carrier atomic.Pointer[serveConn] // of this one

	// The reading goroutine's.
	req     Request
	resp    Response
	partial map[uint32]*partial // requests whose value is still arriving; at most maxPartial

	// The writer's, while it holds that role: what one writev takes.
	vec  [2][]byte
	bufs net.Buffers

	mu         sync.Mutex // guards all below
	buf, spare []byte     // frames that wait to be written
	large      []largeAnswer
	// Answers for which there is no room, in the order in which they came: small ones, and
	// large ones. Each has a goroutine that waits for it.
	line       [2][]waitingAnswer
	writing    bool // some goroutine holds the role of the writer
	writes     uint64
	running    map[uint32]context.CancelFunc // calls on their own goroutines
	held       int                           // bytes of their requests and of partial ones
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

// serve answers calls on an admitted connection until it ends.
func (p *Pool) serve(o opened, addr string) {
	c := &serveConn{
		pool: p, nc: o.conn, from: o.id, nonce: o.nonce, since: time.Now(), addr: addr, lim: o.lim, rd: newFrameReader(o.conn, o.first),
		partial: make(map[uint32]*partial), running: make(map[uint32]context.CancelFunc),
	}
	c.ctx, c.cancel = context.WithCancel(p.ctx)
	// If the other has ended, the caller is about to close this one, too.
	main := p.carriedBy(o.carries, o.id)
	if tied := main == nil || main.tie(c); !tied || !p.adopt(c) {
		c.fail(errMate)
		c.wg.Wait()
		return
	}
	if p.draining.Load() {
		c.goaway()
	}
	var err error
	for err == nil {
		err = c.readFrame()
	}
	p.noteBadFrame(addr, err)
	c.fail(err)
	c.wg.Wait()
	p.drop(c)
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

// heldMax bounds the bytes of requests that one connection makes this member hold. A
// carrier has all the large ones, so it may have as many as two connections would.
func (c *serveConn) heldMax() int {
	n := max(maxPartial*c.pool.cfg.MaxValue, 16<<20)
	if c.carries != nil {
		n *= 2
	}
	return n
}

// holdLocked counts n bytes of a request as held, or reports that there are too many.
func (c *serveConn) holdLocked(n int) bool {
	if c.held+n > c.heldMax() {
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

// goaway asks the caller to stop using the connection and to close it.
func (c *serveConn) goaway() {
	c.mu.Lock()
	if c.err == nil {
		c.buf = appendHeader(c.buf, frameGoaway, 0, 0)
	}
	c.mu.Unlock()
	c.spawnWriter()
}

// fill makes n bytes available; before it would wait for them it writes the answers.
func (c *serveConn) fill(n int) error {
	if c.rd.buffered() >= n {
		return nil
	}
	c.flush()
	return c.rd.fill(n)
}

func (c *serveConn) readFrame() error {
	if err := c.fill(headerSize); err != nil {
		return err
	}
	h, err := parseHeader(c.rd.buf[c.rd.r:c.rd.w])
	if err != nil {
		return err
	}
	if h.kind == frameData {
		c.rd.next(headerSize)
		return c.data(h)
	}
	if err := c.fill(headerSize + h.size); err != nil {
		return err
	}
	body := c.rd.next(headerSize + h.size)[headerSize:]
	switch h.kind {
	case frameRequest:
		return c.request(h.id, body)
	case frameCancel:
		c.cancelCall(h.id)
		return nil
	case framePing:
		return c.pong(h.id)
	case frameSkip:
		return nil
	}
	return badFrame(badType, "frame type %d from the calling side", h.kind)
}

func (c *serveConn) pong(id uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.buf) > 2*bufferMax {
		return fmt.Errorf("httppool: peer pings and does not read")
	}
	c.buf = appendHeader(c.buf, framePong, id, 0)
	return nil
}
