package httppool

import (
	"context"
	"errors"
)

// A Pending is a call that was started. Its Wait must be called, and once only: a call
// that nobody waits for keeps its place on the connection.
type Pending struct {
	peer *Peer
	conn *callConn
	call *call
	req  *Request
	err  error // it could not be started
}

// Call sends req and waits for the answer or for ctx. A nil error means that a
// response arrived: look at resp.Status. Any error is a *CallError, whose Sent says
// whether the peer may have acted. req is not used after Call returned, and resp is
// only written when the error is nil.
//
// A call whose connection turned out to be dead before any handler could have seen the
// request is tried once more on a new connection; no other call is ever repeated.
func (q *Peer) Call(ctx context.Context, req *Request, resp *Response) error {
	p := Pending{peer: q, req: req}
	if p.err = q.usable(ctx, req); p.err == nil {
		p.begin(ctx)
	}
	return p.Wait(ctx, resp)
}

// usable returns why a call cannot be made, whatever the connections.
func (q *Peer) usable(ctx context.Context, req *Request) error {
	if err := q.pool.lim.check(req); err != nil {
		return err
	}
	if q.silent() {
		q.knock()
		return ErrSilent
	}
	return ctx.Err()
}

// Start is the first half of a Call: it sends req, which must not change before Wait
// has returned. It waits for nothing, so that one goroutine can have calls to several
// peers under way: without an open connection it reports false, and has done nothing.
func (q *Peer) Start(ctx context.Context, req *Request) (p Pending, ok bool) {
	p = Pending{peer: q, req: req}
	if p.err = q.usable(ctx, req); p.err != nil {
		return p, true
	}
	if p.conn = q.open(len(req.Value)); p.conn == nil {
		return p, false
	}
	p.post(ctx, false)
	return p, true
}

// begin is Start that waits for a connection.
func (p *Pending) begin(ctx context.Context) {
	if p.conn, p.err = p.peer.conn(ctx, len(p.req.Value)); p.err == nil {
		p.post(ctx, true)
	}
}

// post puts the call on its connection, or on another if all slots of that are taken.
func (p *Pending) post(ctx context.Context, wait bool) {
	p.call, p.err = p.conn.begin(ctx, p.req)
	for at := 0; p.err == ErrOverloaded && at < len(p.peer.places); at++ {
		c, q := p.peer.places[at].conn.Load(), p.peer
		switch {
		case c == nil && wait:
			if d, err := q.join(at); err != nil {
				continue
			} else if c, err = q.await(ctx, d); err != nil {
				continue
			}
		case c == nil:
			q.dialSoon(at)
			continue
		case c == p.conn:
			continue
		}
		p.conn = c
		p.call, p.err = c.begin(ctx, p.req)
	}
}

// Wait is the second half of a Call. ctx should be Start's.
func (p *Pending) Wait(ctx context.Context, resp *Response) error {
	for again := false; ; again = true {
		sent, err := false, p.err
		if err == nil {
			if sent, err = p.conn.wait(ctx, p.call, resp); err == nil {
				return nil
			}
		}
		if sent || again || !errors.Is(err, errRetry) {
			return p.peer.failed(sent, err)
		}
		p.peer.pool.stats.retries.Add(1)
		p.begin(ctx)
	}
}

// Ready waits until Wait with the context until would not wait any more, but for another
// connection if it needs one. It reports false if ctx ended first.
func (p *Pending) Ready(ctx, until context.Context) bool {
	if p.err != nil {
		return true
	}
	select {
	case <-p.call.wake:
		p.call.wake <- struct{}{} // never blocks: there is one token, for Wait
		return true
	case <-until.Done():
		return true
	case <-ctx.Done():
		return false
	}
}

// Ping returns nil as soon as the peer shows that it lives. Its errors are those of Call,
// and Sent is false.
func (q *Peer) Ping(ctx context.Context) error {
	if q.silent() {
		q.knock()
		return q.failed(false, ErrSilent)
	}
	c, err := q.conn(ctx, 0)
	if err != nil {
		return q.failed(false, err)
	}
	select {
	case <-c.ping():
		return nil
	case <-c.dead:
		return q.failed(false, ErrConnLost)
	case <-ctx.Done():
		return q.failed(false, ctx.Err())
	}
}
