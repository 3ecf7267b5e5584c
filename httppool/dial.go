package httppool

import (
	"context"
	"net"
	"time"
)

func newCallConn(q *Peer, place int, o opened) *callConn {
	c := &callConn{
		pool: q.pool, peer: q, addr: q.addr, place: place, id: o.id, nonce: o.nonce, nc: o.conn, lim: o.lim,
		incoming: incoming{rd: newFrameReader(o.conn, o.first)}, outgoing: outgoing{direct: kernelBuffered(o.conn)}, slotTable: slotTable{keep: maxSlots},
		kick: make(chan struct{}, 1), dead: make(chan struct{}),
	}
	c.slots.Store(new([]*call))
	if len(q.pool.cfg.Secret) == 0 {
		// The server takes this end for a peer's when it has a frame, and a call may not come.
		c.buf = appendHeader(nil, framePing, 0, 0)
		c.writing = true
		c.kick <- struct{}{}
	}
	return c
}

// kernelBuffered reports whether a small write to conn cannot wait for the peer.
func kernelBuffered(conn net.Conn) bool {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn()
	}
	_, ok := conn.(*net.TCPConn)
	return ok
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

// dialPause is the least time between two dials that nobody waits for.
const dialPause = 5 * time.Second

// dialSoon dials for a place in the background.
func (q *Peer) dialSoon(at int) {
	now, p := time.Now().UnixNano(), &q.places[at]
	if due := p.due.Load(); now >= due && p.due.CompareAndSwap(due, now+int64(dialPause)) {
		q.join(at) // an error means that it is too early: next time
	}
}

// carried returns the connection that one at this place is to be the carrier of, or nil.
func (q *Peer) carried(at int) *callConn {
	if at != 1 {
		return nil
	}
	return q.places[0].conn.Load()
}

// knock sees to it that a silent peer is dialled if no connection is open, for nobody
// waits for that.
func (q *Peer) knock() {
	for i := range q.places {
		if q.places[i].conn.Load() != nil {
			return
		}
	}
	q.join(0) // an error means that it is too early: next time
}

// await waits for a dial, but no longer than Config.Patience.
func (q *Peer) await(ctx context.Context, d *dial) (*callConn, error) {
	var late <-chan time.Time
	if patience := q.pool.cfg.Patience; patience > 0 {
		q.pool.dialling.Add(1)
		defer q.pool.dialling.Add(-1)
		q.pool.watching.rouse()
		t := time.NewTimer(patience)
		defer t.Stop()
		late = t.C
	}
	select {
	case <-d.done:
		return d.conn, d.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-late:
		if q.pool.starving.Load() > 0 {
			return q.await(ctx, d) // a dial ends by itself
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.places[0].dial == d { // else it ended just now
		q.hushed.Store(new(hush))
	}
	return nil, ErrSilent
}
