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
