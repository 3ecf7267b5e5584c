package httppool

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// request answers a request at once or starts it.
func (c *serveConn) request(id uint32, body []byte) error {
	size, timeout, err := decodeRequest(body, &c.req, c.pool.lim)
	if err != nil {
		return err
	}
	if size > inlineMax {
		return c.begin(id, body, size, timeout)
	}
	c.resp = Response{}
	if c.tryFast() {
		c.reply(id, &c.resp, byFast)
		return nil
	}
	return c.spawn(id, append([]byte(nil), body...), nil, timeout, len(body))
}

// tryFast calls ServeFast. A panic counts as an answer.
func (c *serveConn) tryFast() (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked(v, &c.resp)
			ok = true
		}
	}()
	return c.pool.cfg.Handler.ServeFast(c.from, &c.req, &c.resp)
}

func (c *serveConn) panicked(v any, resp *Response) {
	c.pool.stats.panics.Add(1)
	c.pool.cfg.Logger.Error("a handler of peer calls panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	*resp = Response{Status: StatusInternal, Message: fmt.Sprintf("handler panicked: %v", v)}
}

// begin starts to collect a large request.
func (c *serveConn) begin(id uint32, body []byte, size int, timeout time.Duration) error {
	if c.partial[id] != nil || len(c.partial) >= maxPartial {
		return badFrame(badOrder, "more than %d large requests at once", maxPartial)
	}
	pt := &partial{body: append([]byte(nil), body...), value: largeValue{left: size}, held: len(body) + size}
	if timeout > 0 {
		pt.until = time.Now().Add(timeout)
	}
	c.mu.Lock()
	if !c.holdLocked(pt.held) {
		pt.value.drop, pt.held = true, 0
	}
	c.mu.Unlock()
	c.partial[id] = pt
	return nil
}

// data reads on at a large request, and starts it when it is complete.
func (c *serveConn) data(h frameHeader) error {
	pt := c.partial[h.id]
	if pt == nil {
		return badFrame(badOrder, "data for request %#x, which is not under way", h.id)
	}
	if c.rd.buffered() < h.size {
		c.flush()
	}
	if err := pt.value.take(c.rd, h.size); err != nil || pt.value.left > 0 {
		return err
	}
	delete(c.partial, h.id)
	if pt.value.drop {
		c.overloaded(h.id)
		return nil
	}
	var timeout time.Duration
	if !pt.until.IsZero() {
		timeout = max(time.Until(pt.until), 1)
	}
	c.unhold(pt.held)
	return c.spawn(h.id, pt.body, pt.value.b, timeout, pt.held)
}

func (c *serveConn) cancelCall(id uint32) {
	if pt := c.partial[id]; pt != nil {
		delete(c.partial, id)
		c.unhold(pt.held)
		c.reply(id, &Response{Status: StatusCancelled}, byReader)
		return
	}
	c.mu.Lock()
	cancel := c.running[id]
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (c *serveConn) overloaded(id uint32) {
	c.pool.stats.overloaded.Add(1)
	c.reply(id, &Response{Status: StatusOverloaded}, byReader)
}

// spawn runs Serve on a goroutine of its own, which owns body and value.
func (c *serveConn) spawn(id uint32, body, value []byte, timeout time.Duration, held int) error {
	ctx, cancel := c.ctx, context.CancelFunc(nil)
	if timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, timeout)
	} else {
		ctx, cancel = context.WithCancel(ctx)
	}
	c.mu.Lock()
	twice := c.running[id] != nil
	full := twice || len(c.running) >= c.pool.cfg.MaxConcurrent || !c.holdLocked(held)
	if !full {
		c.running[id] = cancel
		c.slow++
	}
	c.mu.Unlock()
	switch {
	case twice:
		cancel()
		return badFrame(badOrder, "request %#x is under way already", id)
	case full:
		cancel()
		c.overloaded(id)
		return nil
	}
	c.wg.Go(func() {
		growStack(0)
		c.run(ctx, id, body, value)
		cancel()
	})
	return nil
}

// growStack makes the stack of a goroutine that has just begun as large as most calls need. If
// it grew while they run, all of their frames would be copied, two or three times.
//
//go:noinline
func growStack(at int) byte {
	var room [6 << 10]byte // a stack is a power of two
	return room[at]
}

// run serves one call and sends its answer.
func (c *serveConn) run(ctx context.Context, id uint32, body, value []byte) {
	var req Request
	var resp Response
	// It was decoded before; now the fields alias a body that stays.
	if _, _, err := decodeRequest(body, &req, c.pool.lim); err != nil {
		resp = Response{Status: StatusInternal, Message: err.Error()}
	} else {
		if value != nil {
			req.Value = value
		}
		c.callServe(ctx, &req, &resp)
	}
	c.reply(id, &resp, byCall)
	// Only now, since an answer that waits for room still takes a goroutine.
	c.mu.Lock()
	delete(c.running, id)
	c.held -= len(body) + len(value)
	c.mu.Unlock()
}

func (c *serveConn) callServe(ctx context.Context, req *Request, resp *Response) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked(v, resp)
		}
	}()
	c.pool.cfg.Handler.Serve(ctx, c.from, req, resp)
}
