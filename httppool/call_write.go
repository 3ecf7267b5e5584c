package httppool

import (
	"runtime"
	"slices"
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
	c.chunkLocked()
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
	more = len(c.buf) > 0 || len(c.queue) > 0
	c.writing = more
	c.mu.Unlock()
	return more
}

// chunkLocked moves one chunk of the queue's requests into the buffer. Copying it here
// keeps the writer from ever reading a request whose caller has left.
func (c *callConn) chunkLocked() {
	if len(c.queue) == 0 || len(c.buf) > chunkMax {
		return
	}
	cl, before := c.queue[0], len(c.buf)
	if !cl.started {
		var timeout time.Duration
		if !cl.deadline.IsZero() {
			timeout = max(time.Until(cl.deadline), time.Microsecond)
		}
		cl.started = true
		cl.start = c.base + uint64(len(c.buf))
		c.buf = appendRequest(c.buf, cl.id(), cl.req, timeout)
		if len(cl.req.Value) <= inlineMax {
			cl.offset = len(cl.req.Value)
		}
	}
	if rest := cl.req.Value[cl.offset:]; len(rest) > 0 {
		rest = rest[:min(len(rest), chunkMax)]
		c.buf = appendHeader(c.buf, frameData, cl.id(), len(rest))
		c.buf = append(c.buf, rest...)
		cl.offset += len(rest)
	}
	cl.bytes += len(c.buf) - before
	c.unanswered += len(c.buf) - before
	if cl.offset == len(cl.req.Value) {
		cl.complete, cl.req = true, nil
		cl.end = c.base + uint64(len(c.buf))
		c.queue = slices.Delete(c.queue, 0, 1)
		return
	}
	// The first maxPartial take turns, so that one huge value does not hold up the rest.
	turn := c.queue[:min(len(c.queue), maxPartial)]
	copy(turn, turn[1:])
	turn[len(turn)-1] = cl
}

func (c *callConn) unqueueLocked(cl *call) {
	if i := slices.Index(c.queue, cl); i >= 0 {
		c.queue = slices.Delete(c.queue, i, i+1)
	}
	cl.req = nil
}
