package httppool

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// begin posts a call and sees to it that it is written.
func (c *callConn) begin(ctx context.Context, req *Request) (*call, error) {
	deadline, _ := ctx.Deadline()
	cl, role, err := c.post(req, deadline)
	if err != nil {
		return nil, err
	}
	c.pool.watching.rouse()
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
	return false, notTaken(c.err)
}

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
		return nil, roleNone, notTaken(c.err)
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
	return cl, c.takeRoleLocked(c.inflight), nil
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
		if r = c.takeRoleLocked(c.inflight); r != roleNone {
			r = roleKick // this caller is not to wait for a write
		}
	}
	c.mu.Unlock()
	c.act(r)
	c.parted(last)
	return true, sent
}
