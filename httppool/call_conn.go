package httppool

import (
	"net"
	"sync"
)

// callConn is the calling end of a peer connection. Its goroutines, readLoop and
// writeLoop, belong to the pool and end when the connection does.
type callConn struct {
	pool  *core
	peer  holder
	addr  string // of the peer
	place int    // index in the peer's places
	id    string // of the other end
	nonce []byte // by which the peer knows this connection
	nc    net.Conn
	lim   limits // the peer's
	watch watch
	pair[callConn]
	incoming
	slotTable // but for slots guarded by mu

	kick chan struct{} // capacity 1: hands the role of the writer to writeLoop
	dead chan struct{} // closed by fail

	mu sync.Mutex // guards all below, and the fields of call that say so
	outgoing
	writes   uint64 // finished writes
	leaving  bool
	err      error // why the connection failed; nil while it lives
	calls    uint64
	bytesOut uint64
	pong     chan struct{} // closed with the next pong; nil: nobody waits for one
}

// A holder has the connections to one address: a Peer. What concerns more than one call is
// told to it.
type holder interface {
	detach(c *callConn) // takes no more calls
	haul()              // a value above carryFrom came
	hush(c *callConn)   // the peer is silent there; called under c.mu
	heard()             // the peer has said something; called under c.mu
}

// releaseLocked puts a slot back when nobody will touch its call again. It reports
// whether that was the last call of a connection that is to end.
func (c *callConn) releaseLocked(cl *call) (last bool) {
	c.unanswered -= cl.bytes
	cl.bytes = 0
	c.freeLocked(cl)
	return c.leaving && c.inflight == 0
}

func (c *callConn) release(cl *call) {
	c.mu.Lock()
	last := c.releaseLocked(cl)
	c.mu.Unlock()
	c.parted(last)
}

// fail ends the connection, once: it closes it and wakes every waiting caller.
func (c *callConn) fail(err error) {
	c.mu.Lock()
	first := c.failLocked(err)
	c.mu.Unlock()
	c.bury(first)
}

func (c *callConn) failLocked(err error) (first bool) {
	if c.err != nil {
		return false
	}
	c.err = err
	c.small, c.large, c.partial = line{}, line{}, nil
	return true
}

// bury does what follows failLocked, without the lock. No slot starts to wait any more.
func (c *callConn) bury(first bool) {
	if !first {
		return
	}
	close(c.dead)
	closeNow(c.nc)
	c.peer.detach(c)
	for _, cl := range *c.slots.Load() {
		if cl.move(slotWaiting, slotFailed) {
			cl.wake <- struct{}{} // never blocks: see call.wake
		}
	}
	c.pool.drop(c)
	if m := c.mate(); m != nil {
		m.fail(errMate)
	}
}

// parted ends a connection that the peer is leaving after its last call, unless its mate
// has calls: then that one ends both.
func (c *callConn) parted(last bool) {
	if last && !c.mate().busy() {
		c.fail(errPeerLeft)
	}
}

// busy reports whether calls are under way. c may be nil.
func (c *callConn) busy() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err == nil && c.inflight > 0
}

// tie makes carrier, which is not used yet, and c end together.
func (c *callConn) tie(carrier *callConn) {
	c.carrier.Store(carrier)
	select {
	case <-c.dead:
		carrier.fail(errMate)
	default:
	}
}

// over reports whether c takes no more calls.
func (c *callConn) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil || c.leaving
}

func (c *callConn) tally(s *Stats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Calls += c.calls
	s.BytesOut += c.bytesOut
	s.BytesIn += c.rd.bytes.Load()
}

func (c *callConn) serves() bool { return false }
