package httppool

import (
	"runtime"
	"time"
)

// writeLoop writes whenever it is handed the role of the writer.
func (c *callConn) writeLoop() {
	for {
		select {
		case <-c.kick:
			// As in act: let the callers that were woken together add their frames.
			runtime.Gosched()
			for c.writeOnce() {
				runtime.Gosched()
			}
		case <-c.dead:
			return
		}
	}
}

// writeOnce writes what waits, as the holder of the writer's role. It reports whether
// more waits; if not, the role is free again.
func (c *callConn) writeOnce() (more bool) {
	c.mu.Lock()
	c.fillLocked()
	out := c.buf
	c.buf, c.spare = c.spare[:0], nil
	c.base += uint64(len(out))
	dead := c.err != nil
	c.mu.Unlock()
	if dead {
		return false
	}
	n, err := c.nc.Write(out)

	c.mu.Lock()
	c.writes++
	c.bytesOut += uint64(n)
	if err != nil {
		first := c.failLocked(lost("write", err))
		// What the kernel did not take, the peer cannot have seen.
		c.base -= uint64(len(out) - n)
		c.mu.Unlock()
		c.bury(first)
		return false
	}
	if cap(out) <= 2*bufferMax {
		c.spare = out
	}
	more = len(c.buf) > 0 || c.waitingLocked()
	c.writing = more
	c.mu.Unlock()
	return more
}

// waitingLocked reports whether requests wait that are not in the buffer.
func (c *callConn) waitingLocked() bool { return c.small.n > 0 || c.large.n > 0 || len(c.partial) > 0 }

// putLocked puts the head of a request into the buffer, and a value that is not large.
func (c *callConn) putLocked(cl *call, req *Request, timeout time.Duration) {
	cl.start = c.base + uint64(len(c.buf))
	c.buf = appendRequest(c.buf, cl.id(), req, timeout)
	c.countLocked(cl, cl.start)
	if len(req.Value) <= inlineMax {
		cl.complete, cl.req, cl.end = true, nil, c.base+uint64(len(c.buf))
	}
}

// countLocked counts the bytes of cl that were put into the buffer from a place in the stream on.
func (c *callConn) countLocked(cl *call, from uint64) {
	n := int(c.base + uint64(len(c.buf)) - from)
	cl.bytes += n
	c.unanswered += n
}

// fillLocked moves what waits into the buffer: small requests in the order in which they
// came, as many as there is room for, and one chunk of a large one, that they do not hold
// up. Copying them here keeps the writer from ever reading a request whose caller has left.
func (c *callConn) fillLocked() {
	if c.small.n > 0 {
		for now := time.Now(); c.small.n > 0 && len(c.buf) <= bufferMax; {
			cl := c.small.next()
			c.putLocked(cl, cl.req, cl.leftAt(now))
		}
	}
	c.chunkLocked()
}

// leftAt returns how much time the caller has left, 0: without limit.
func (cl *call) leftAt(now time.Time) time.Duration {
	if cl.deadline.IsZero() {
		return 0
	}
	return max(cl.deadline.Sub(now), time.Microsecond)
}

// chunkLocked moves the next chunk of a large request. Those that were begun take turns,
// so that one huge value does not hold up the rest.
func (c *callConn) chunkLocked() {
	for len(c.partial) < maxPartial && c.large.n > 0 {
		cl := c.large.next()
		c.putLocked(cl, cl.req, cl.leftAt(time.Now()))
		c.partial = append(c.partial, cl)
	}
	if len(c.partial) == 0 {
		return
	}
	cl, from := c.partial[0], c.base+uint64(len(c.buf))
	rest := cl.req.Value[cl.offset:]
	rest = rest[:min(len(rest), chunkMax)]
	c.buf = appendHeader(c.buf, frameData, cl.id(), len(rest))
	c.buf = append(c.buf, rest...)
	cl.offset += len(rest)
	c.countLocked(cl, from)
	copy(c.partial, c.partial[1:])
	last := len(c.partial) - 1
	if c.partial[last] = cl; cl.offset < len(cl.req.Value) {
		return
	}
	cl.complete, cl.req, cl.end = true, nil, c.base+uint64(len(c.buf))
	c.partial[last] = nil
	c.partial = c.partial[:last]
}
