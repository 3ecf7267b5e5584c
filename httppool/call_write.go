package httppool

import (
	"runtime"
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

// ping sends a ping and returns a channel that is closed with the next pong.
func (c *callConn) ping() <-chan struct{} {
	c.mu.Lock()
	pong, r := c.pong, roleNone
	if pong == nil {
		pong = make(chan struct{})
		c.pong = pong
		c.buf = appendHeader(c.buf, framePing, 0, 0)
		if r = c.takeRoleLocked(c.inflight); r != roleNone {
			r = roleKick
		}
	}
	c.mu.Unlock()
	c.act(r)
	return pong
}

// ponged tells those who wait for a pong.
func (c *callConn) ponged() {
	c.mu.Lock()
	pong := c.pong
	c.pong = nil
	c.mu.Unlock()
	if pong != nil {
		close(pong)
	}
}
