package httppool

import (
	"bytes"
	"encoding/base64"
	"time"
)

// Bytes of a large value that were handed to the kernel are ahead of whatever is written
// after them on the same connection, and a kernel takes megabytes. So values above
// carryFrom have a connection of their own, the carrier, which is tied to the first one:
// requests with such values are made over it, and answers with such values come over it,
// though the calls were made over the first. The caller opens it when the first such value
// comes, and names the connection to which it belongs by the nonce that it sent there; a
// peer that does not know of this does not say so in its answer, and all goes as before.
// Both end together, since answers to the calls of one may be on the other.

// carryFrom is how large a value must be to go over the carrier. It is what the reading
// goroutine of a serving connection would write itself at most.
const carryFrom = ownMax

// haulFor is how long after a large value small calls keep to the first connection,
// however large answers are on average.
const haulFor = time.Second

// headerCarries names the connection that a new one is to be the carrier of, and in the
// answer confirms it.
const headerCarries = "Cachemesh-Carries"

// carriesLine returns the header's line, or nothing.
func carriesLine(nonce []byte) string {
	if len(nonce) == 0 {
		return ""
	}
	return headerCarries + ": " + base64.RawURLEncoding.EncodeToString(nonce) + "\r\n"
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

// carried returns the connection that one at this place is to be the carrier of, or nil.
func (q *Peer) carried(at int) *callConn {
	if at != 1 {
		return nil
	}
	return q.places[0].conn.Load()
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

// mate returns the connection that c is tied to, or nil.
func (c *callConn) mate() *callConn {
	if c.carries != nil {
		return c.carries
	}
	return c.carrier.Load()
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

// usedUntil returns when a call was last under way on c or its mate. Only the goroutine
// of watchLoop calls it.
func (c *callConn) usedUntil() time.Time {
	if m := c.mate(); m != nil && m.watch.used.After(c.watch.used) {
		return m.watch.used
	}
	return c.watch.used
}

// carriedBy returns the connection that has the nonce and is from the same caller, or nil.
// A carrier has none.
func (p *Pool) carriedBy(nonce []byte, from string) *serveConn {
	if len(nonce) == 0 {
		return nil
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for c := range p.conns {
		if c, ok := c.(*serveConn); ok && c.carries == nil && c.from == from && bytes.Equal(c.nonce, nonce) {
			return c
		}
	}
	return nil
}

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

// mate returns the connection that c is tied to, or nil.
func (c *serveConn) mate() *serveConn {
	if c.carries != nil {
		return c.carries
	}
	return c.carrier.Load()
}

// replyOver puts an answer in line on the carrier. The reading goroutine does not wait for
// room there, since small calls wait for it: it leaves that to a goroutine that counts
// as the call's.
func (c *serveConn) replyOver(carrier *serveConn, id uint32, resp *Response, by answerer) {
	if by != byCall && !carrier.roomy(resp) && c.aside(carrier, id, *resp) {
		return
	}
	carrier.put(id, resp, byCall, true)
}

// aside is replyOver on a goroutine of its own; false: there are too many.
func (c *serveConn) aside(carrier *serveConn, id uint32, resp Response) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || len(c.running) >= c.pool.cfg.MaxConcurrent || c.running[id] != nil {
		return false
	}
	c.running[id] = func() {} // the answer is there: it cannot be cancelled
	c.wg.Go(func() {
		carrier.put(id, &resp, byCall, true)
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.running, id)
	})
	return true
}

// roomy reports whether an answer need not wait.
func (c *serveConn) roomy(resp *Response) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil || c.roomLocked(resp)
}
