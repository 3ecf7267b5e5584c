package httppool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Peer is a handle to call one address. It is safe for concurrent use.
type Peer struct {
	pool *Pool
	addr string
	// conns holds the connections that take calls; nil: dial first.
	conns []atomic.Pointer[callConn]

	ctx    context.Context // ends with Forget or Pool.Close
	cancel context.CancelFunc

	mu    sync.Mutex // guards all below
	dials []*dial    // by place in conns; nil: none under way
	back  backoff
}

// dial is one attempt to connect, shared by all who wait for it.
type dial struct {
	done chan struct{} // closed when conn and err are set
	conn *callConn
	err  error
}

func newPeer(p *Pool, addr string) *Peer {
	n := p.cfg.ConnsPerPeer
	q := &Peer{pool: p, addr: addr, conns: make([]atomic.Pointer[callConn], n), dials: make([]*dial, n)}
	q.ctx, q.cancel = context.WithCancel(p.ctx)
	return q
}

// Addr returns the address that q calls.
func (q *Peer) Addr() string { return q.addr }

// Call sends req and waits for the answer or for ctx. A nil error means that a
// response arrived: look at resp.Status. Any error is a *CallError, whose Sent says
// whether the peer may have acted. req is not used after Call returned, and resp is
// only written when the error is nil.
//
// A call whose connection turned out to be dead before any handler could have seen the
// request is tried once more on a new connection; no other call is ever repeated.
func (q *Peer) Call(ctx context.Context, req *Request, resp *Response) error {
	p := q.Start(ctx, req)
	return p.Wait(ctx, resp)
}

// A Pending is a call that was started. Its Wait must be called, once.
type Pending struct {
	peer *Peer
	conn *callConn
	call *call
	req  *Request
	err  error // it could not be started
}

// Start is the first half of a Call: it sends req, which must not change before Wait
// returned. It may wait for a connection, but not for the answer, so that one goroutine
// can have calls to several peers under way.
func (q *Peer) Start(ctx context.Context, req *Request) Pending {
	p := Pending{peer: q, req: req}
	if p.err = q.pool.lim.check(req); p.err == nil {
		if p.err = ctx.Err(); p.err == nil {
			p.begin(ctx)
		}
	}
	return p
}

func (p *Pending) begin(ctx context.Context) {
	if p.conn, p.err = p.peer.conn(ctx); p.err == nil {
		p.call, p.err = p.conn.begin(ctx, p.req)
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

func (q *Peer) failed(sent bool, err error) error {
	q.pool.stats.callErrors.Add(1)
	return &CallError{Addr: q.addr, Sent: sent, Err: err}
}

// conn returns a connection that takes calls, dialling if it must and may.
func (q *Peer) conn(ctx context.Context) (*callConn, error) {
	first := q.conns[0].Load()
	if first != nil {
		if len(q.conns) > 1 && q.bulky() {
			if c := q.another(); c != nil {
				return c, nil
			}
		}
		return first, nil
	}
	d, err := q.join(0)
	if err != nil {
		return nil, err
	}
	select {
	case <-d.done:
		return d.conn, d.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join returns the dial for place that is under way, or starts one.
func (q *Peer) join(place int) (*dial, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if d := q.dials[place]; d != nil {
		return d, nil
	}
	d := &dial{done: make(chan struct{})}
	if c := q.conns[place].Load(); c != nil {
		d.conn = c
		close(d.done)
		return d, nil
	}
	if q.ctx.Err() != nil {
		return nil, q.gone()
	}
	if err := q.back.wait(time.Now()); err != nil {
		return nil, err
	}
	if !q.pool.start(func() { q.dial(place, d) }) {
		return nil, ErrClosed
	}
	q.dials[place] = d
	return d, nil
}

// gone says why q is no longer usable.
func (q *Peer) gone() error {
	if q.pool.ctx.Err() != nil {
		return ErrClosed
	}
	return fmt.Errorf("%w: the peer was forgotten", ErrUnreachable)
}

// dial connects on a goroutine of the pool, so that no waiter's context can end it.
func (q *Peer) dial(place int, d *dial) {
	ctx, cancel := context.WithTimeout(q.ctx, q.pool.cfg.DialTimeout)
	defer cancel()
	o, err := q.pool.open(ctx, q.addr, pathPeer)
	if err == nil {
		c := newCallConn(q, place, o)
		if q.pool.adopt(c, c.readLoop, c.writeLoop) {
			d.conn = c
		} else {
			o.conn.Close()
			err = ErrClosed
		}
	}
	q.mu.Lock()
	q.dials[place] = nil
	switch {
	case q.ctx.Err() != nil:
		err = q.gone()
	case err != nil:
		q.back.failed(time.Now(), err, q.pool.cfg)
	default:
		q.conns[place].Store(d.conn)
	}
	d.err = err
	q.mu.Unlock()
	if d.conn != nil {
		if err != nil {
			d.conn.fail(err)
			d.conn = nil
		} else if d.conn.over() {
			q.detach(d.conn) // it failed before it was stored
		}
	}
	close(d.done)
}

// detach keeps new calls from c, which failed or is leaving. A connection that never
// brought a byte counts as a failed dial, so that calls do not dial in a tight circle.
func (q *Peer) detach(c *callConn) {
	if !q.conns[c.place].CompareAndSwap(c, nil) {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if c.rd.bytes.Load() > 0 {
		q.back = backoff{}
		return
	}
	q.back.failed(time.Now(), fmt.Errorf("%w right after it was opened", ErrConnLost), q.pool.cfg)
}

// close ends every connection of q.
func (q *Peer) close(err error) {
	q.cancel()
	q.mu.Lock()
	var open []*callConn
	for i := range q.conns {
		if c := q.conns[i].Load(); c != nil {
			open = append(open, c)
		}
	}
	q.mu.Unlock()
	for _, c := range open {
		c.fail(err)
	}
}
