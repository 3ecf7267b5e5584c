package httppool

import (
	"fmt"
	"runtime"
)

// largeAnswer is the value of an answer whose head was put in the buffer, or waits to
// be. It is written from where it lies.
type largeAnswer struct {
	id      uint32
	rest    []byte
	carried bool // of a call of the connection that this one is the carrier of
}

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
		c.write()
	}
}

// ownMax is how many bytes of large answers the reading goroutine writes itself.
const ownMax = 2 * chunkMax

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
		c.writeAs(true)
	}
}

// fewLocked reports whether the reading goroutine may write the large answers itself.
func (c *serveConn) fewLocked() bool {
	n := 0
	for i := range c.large {
		n += len(c.large[i].rest)
	}
	return n <= ownMax
}

func (c *serveConn) spawnWriter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.writing && c.err == nil {
		c.startWriterLocked()
	}
}

func (c *serveConn) startWriterLocked() {
	c.writing = true
	c.wg.Go(c.write)
}

// write writes until nothing waits, as the holder of the writer's role, and gives the
// role away.
func (c *serveConn) write() { c.writeAs(false) }

// writeAs is write; the reading goroutine hands the role to a new one when more large
// answers have come than it may write itself.
func (c *serveConn) writeAs(reading bool) {
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

// chunkLocked takes the next piece of a large answer, whose frame header it puts at
// the end of the buffer. The answers take turns.
func (c *serveConn) chunkLocked() []byte {
	if len(c.large) == 0 {
		return nil
	}
	a := c.large[0]
	chunk := a.rest[:min(len(a.rest), chunkMax)]
	a.rest = a.rest[len(chunk):]
	kind := uint8(frameData)
	if a.carried {
		kind = frameCarriedData
	}
	c.buf = appendHeader(c.buf, kind, a.id, len(chunk))
	copy(c.large, c.large[1:])
	if len(a.rest) > 0 {
		c.large[len(c.large)-1] = a
	} else {
		c.large[len(c.large)-1] = largeAnswer{}
		c.large = c.large[:len(c.large)-1]
	}
	return chunk
}
