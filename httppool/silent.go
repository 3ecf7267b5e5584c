package httppool

import (
	"context"
	"runtime"
	"time"
)

// A peer that was stopped, or that a cut hides, takes requests and answers nothing. It
// is found silent within Config.Patience, long before its connection is given up: then
// idempotent calls go another way, and no other call is sent to it. Whatever comes from
// it ends that.

// watchSteps is how often in Config.Patience connections are looked at: a ping is sent
// at the first look at which nothing came, and has the other steps to be answered.
const watchSteps = 4

// watchEvery is the time between two looks at the open connections.
func (c *Config) watchEvery() time.Duration {
	every := min(min(c.SilenceTimeout, c.IdleTimeout)/8, time.Second)
	if c.Patience > 0 {
		every = min(every, c.Patience/watchSteps)
	}
	return max(every, time.Millisecond)
}

// noteStarving notes whether goroutines that are ready have to wait for long: then an
// answer may have come that nobody has read.
func (p *Pool) noteStarving(every time.Duration) {
	began := time.Now()
	runtime.Gosched()
	runtime.Gosched()
	if time.Since(began) > every/2 {
		p.starving.Store(2)
	} else if left := p.starving.Load(); left > 0 {
		p.starving.Store(left - 1)
	}
}

// A hush is what a silent peer was last heard of. Its conn is nil if it was dialled.
type hush struct {
	conn  *callConn
	bytes uint64 // that conn had brought
}

// silent reports whether the peer was found silent and has said nothing since.
func (q *Peer) silent() bool {
	h := q.hushed.Load()
	if h == nil {
		return false
	}
	if h.conn != nil && h.conn.rd.bytes.Load() != h.bytes {
		q.hushed.CompareAndSwap(h, nil)
		return false
	}
	return true
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

// unhush forgets that the peer was silent on a connection that is over, if it has others.
func (q *Peer) unhush(c *callConn) {
	h := q.hushed.Load()
	if h == nil || h.conn != c {
		return
	}
	for i := range q.places {
		if q.places[i].conn.Load() != nil {
			q.hushed.CompareAndSwap(h, nil)
		}
	}
}

// await waits for a dial, but no longer than Config.Patience.
func (q *Peer) await(ctx context.Context, d *dial) (*callConn, error) {
	var late <-chan time.Time
	if patience := q.pool.cfg.Patience; patience > 0 {
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

// hushLocked finds the peer silent if it has owed answers for Config.Patience and said
// nothing. It returns the calls that need not wait any longer, to be woken. Time in
// which this process did not look, or was starved, does not count.
func (c *callConn) hushLocked(now time.Time) (woken []*call) {
	w, patience := &c.watch, c.pool.cfg.Patience
	if patience == 0 {
		return nil
	}
	step := min(now.Sub(w.looked), 2*c.pool.cfg.watchEvery())
	// A large request may take long to be taken in.
	sending := c.waitingLocked() && c.bytesOut != w.bytesOut
	w.looked, w.bytesOut = now, c.bytesOut
	if w.heard.Equal(now) || sending {
		w.quiet = 0
		return nil
	}
	if c.pool.starving.Load() == 0 {
		w.quiet += step
	}
	if w.quiet < patience {
		return nil
	}
	c.peer.hushed.Store(&hush{c, c.rd.bytes.Load()})
	for _, cl := range (*c.slots.Load())[:c.used] {
		if cl.idempotent && cl.move(slotWaiting, slotSilent) {
			woken = append(woken, cl)
		}
	}
	return woken
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

// ping sends a ping and returns a channel that is closed with the next pong.
func (c *callConn) ping() <-chan struct{} {
	c.mu.Lock()
	pong, r := c.pong, roleNone
	if pong == nil {
		pong = make(chan struct{})
		c.pong = pong
		c.buf = appendHeader(c.buf, framePing, 0, 0)
		if r = c.takeRoleLocked(); r != roleNone {
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
