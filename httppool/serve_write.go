package httppool

import (
	"fmt"
	"runtime"
)

// answerer says on which goroutine an answer was made.
type answerer uint8

const (
	byFast   answerer = iota // the reading one, by ServeFast
	byReader                 // the reading one
	byCall                   // the call's own
)

// reply puts an answer in line. The reading goroutine leaves the writing for its next
// flush; another writes at once, unless someone does already. It waits for room while
// the caller is slow to read.
func (c *serveConn) reply(id uint32, resp *Response, by answerer) {
	if len(resp.Value) > c.lim.value {
		*resp = Response{Status: StatusTooLarge, Message: fmt.Sprintf(
			"the answer's value of %d bytes is larger than the %d that the caller accepts", len(resp.Value), c.lim.value)}
	}
	if carrier := c.carrier.Load(); carrier != nil && len(resp.Value) > carryFrom {
		if by == byFast {
			c.mu.Lock()
			c.fast++
			c.mu.Unlock()
		}
		c.replyOver(carrier, id, resp, by)
		return
	}
	c.put(id, resp, by, false)
}

// put is reply on this connection, for a call of it or of the one that it carries for.
func (c *serveConn) put(id uint32, resp *Response, by answerer, carried bool) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	if by == byFast {
		c.fast++
	}
	if !c.roomLocked(resp) {
		done := make(chan struct{})
		line := &c.line[lineOf(resp)]
		*line = append(*line, waitingAnswer{id, resp, carried, done})
		if !c.writing {
			c.startWriterLocked()
		}
		c.mu.Unlock()
		<-done
		return
	}
	c.addLocked(id, resp, carried)
	mine := by == byCall && !c.writing
	if mine && carried {
		mine = false // it may be the reading goroutine of the other connection
		c.startWriterLocked()
	} else if mine {
		c.writing = true
	}
	c.mu.Unlock()
	if mine {
		// Let the calls that end together with this one add their answers.
		runtime.Gosched()
		c.write(false)
	}
}

// flush writes what waits before the reading goroutine goes to wait for more. Many or
// very large answers go to a goroutine of their own, so that requests and cancels are
// read meanwhile; for a few, handing them over costs more than writing them.
func (c *serveConn) flush() {
	c.mu.Lock()
	mine := false
	switch {
	case c.writing || c.err != nil:
	case !c.fewLocked():
		c.startWriterLocked()
	case len(c.buf) > 0 || len(c.large) > 0:
		c.writing, mine = true, true
	}
	c.mu.Unlock()
	if mine {
		c.write(true)
	}
}

func (c *serveConn) startWriterLocked() {
	c.writing = true
	c.wg.Go(func() { c.write(false) })
}

// write writes until nothing waits, as the holder of the writer's role, and gives the
// role away. The reading goroutine hands it to a new one when more large answers have come
// than it may write itself.
func (c *serveConn) write(reading bool) {
	c.mu.Lock()
	for c.err == nil {
		if c.advanceLocked(); len(c.buf) == 0 && len(c.large) == 0 {
			break
		}
		if reading && !c.fewLocked() {
			c.startWriterLocked()
			c.mu.Unlock()
			return
		}
		chunk := c.chunkLocked()
		out := c.buf
		c.buf, c.spare = c.spare[:0], nil
		c.mu.Unlock()

		var n int64
		var err error
		if chunk == nil {
			var m int
			m, err = c.nc.Write(out)
			n = int64(m)
		} else {
			c.vec = [2][]byte{out, chunk}
			c.bufs = c.vec[:]
			n, err = c.bufs.WriteTo(c.nc)
			c.vec = [2][]byte{}
		}
		if err != nil {
			c.fail(lost("write", err))
		}

		c.mu.Lock()
		c.writes++
		c.bytesOut += uint64(n)
		if cap(out) <= 4*bufferMax {
			c.spare = out
		}
	}
	c.writing = false
	c.mu.Unlock()
}

// goaway asks the caller to stop using the connection and to close it.
func (c *serveConn) goaway() {
	c.mu.Lock()
	if c.err == nil {
		c.buf = appendHeader(c.buf, frameGoaway, 0, 0)
		if !c.writing {
			c.startWriterLocked()
		}
	}
	c.mu.Unlock()
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
