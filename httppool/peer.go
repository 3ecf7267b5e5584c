package httppool

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Peer is a handle to call one address. It is safe for concurrent use.
type Peer struct {
	pool   *Pool
	addr   string
	places []place // the first is for all calls; for the others see spread.go and carrier.go

	ctx    context.Context // ends with Forget or Pool.Close
	cancel context.CancelFunc

	hushed atomic.Pointer[hush] // set while the peer is silent: see silent.go
	hauled atomic.Int64         // when a value above carryFrom was last sent or came: Unix nanoseconds; 0: never

	mu sync.Mutex // guards what places say
}

// A place is where one of a peer's connections is.
type place struct {
	conn atomic.Pointer[callConn] // takes calls; nil: dial first
	due  atomic.Int64             // when nobody waits, the time of the next dial: Unix nanoseconds

	dial *dial   // nil: none under way; guarded by Peer.mu
	back backoff // guarded by Peer.mu
}

// dial is one attempt to connect, shared by all who wait for it.
type dial struct {
	done chan struct{} // closed when conn and err are set
	conn *callConn
	err  error

	stop  context.CancelFunc // ends the attempt; guarded by Peer.mu
	again bool               // stopped in favour of another; guarded by Peer.mu
}

func newPeer(p *Pool, addr string) *Peer {
	q := &Peer{pool: p, addr: addr, places: make([]place, p.cfg.ConnsPerPeer)}
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

func (q *Peer) failed(sent bool, err error) error {
	q.pool.stats.callErrors.Add(1)
	return &CallError{Addr: q.addr, Sent: sent, Err: err}
}

// conn returns a connection that takes calls with values of a size, dialling if it must and may.
func (q *Peer) conn(ctx context.Context, size int) (*callConn, error) {
	if c := q.open(size); c != nil {
		return c, nil
	}
	d, err := q.join(0)
	if err != nil {
		return nil, err
	}
	return q.await(ctx, d)
}

// join returns the dial for a place that is under way, or starts one.
func (q *Peer) join(at int) (*dial, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := &q.places[at]
	if p.dial != nil {
		return p.dial, nil
	}
	d := &dial{done: make(chan struct{})}
	if c := p.conn.Load(); c != nil {
		d.conn = c
		close(d.done)
		return d, nil
	}
	if q.ctx.Err() != nil {
		return nil, q.gone()
	}
	if err := p.back.wait(time.Now()); err != nil {
		return nil, err
	}
	if !q.pool.start(func() { q.dial(at, d) }) {
		return nil, ErrClosed
	}
	p.dial = d
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
func (q *Peer) dial(at int, d *dial) {
	main := q.carried(at)
	o, err := q.attempt(d, main)
	for err != nil && q.ctx.Err() == nil && q.renewed(d) {
		o, err = q.attempt(d, main)
	}
	if err == nil {
		c := newCallConn(q, at, o)
		if main != nil && len(o.carries) > 0 {
			c.carries = main
		}
		if q.pool.adopt(c, c.readLoop, c.writeLoop) {
			if d.conn = c; c.carries != nil {
				main.tie(c)
			}
		} else {
			o.conn.Close()
			err = ErrClosed
		}
	}
	p := &q.places[at]
	q.mu.Lock()
	p.dial = nil
	switch {
	case q.ctx.Err() != nil:
		err = q.gone()
	case err != nil:
		p.back.failed(time.Now(), err, q.pool.cfg)
	default:
		p.conn.Store(d.conn)
		q.hushed.Store(nil)
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

// attempt opens a connection for d, the carrier of main if that is not nil, until renew stops it.
func (q *Peer) attempt(d *dial, main *callConn) (opened, error) {
	ctx, cancel := context.WithTimeout(q.ctx, q.pool.cfg.DialTimeout)
	defer cancel()
	q.mu.Lock()
	d.stop = cancel
	q.mu.Unlock()
	var carries []byte
	if main != nil {
		carries = main.nonce
	}
	return q.pool.open(ctx, q.addr, "", pathPeer, carries)
}

// renewed reports whether renew has stopped d since it was last asked.
func (q *Peer) renewed(d *dial) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	again := d.again
	d.again = false
	return again
}

// detach keeps new calls from c, which failed or is leaving. A connection that never
// brought a byte counts as a failed dial, so that calls do not dial in a tight circle.
func (q *Peer) detach(c *callConn) {
	p := &q.places[c.place]
	if !p.conn.CompareAndSwap(c, nil) {
		return
	}
	q.unhush(c)
	q.mu.Lock()
	defer q.mu.Unlock()
	if c.rd.bytes.Load() > 0 {
		p.back = backoff{}
		return
	}
	p.back.failed(time.Now(), fmt.Errorf("%w right after it was opened", ErrConnLost), q.pool.cfg)
}

// close ends every connection of q.
func (q *Peer) close(err error) {
	q.cancel()
	q.mu.Lock()
	var open []*callConn
	for i := range q.places {
		if c := q.places[i].conn.Load(); c != nil {
			open = append(open, c)
		}
	}
	q.mu.Unlock()
	for _, c := range open {
		c.fail(err)
	}
}
