package httppool

import (
	"bytes"
	"context"
	"maps"
	"net"
	"slices"
	"sync/atomic"
)

// Pool is both ends of the peer connections of one member. It is safe for concurrent
// use.
type Pool struct {
	core
	tenants   tenants
	strangers strangers
	draining  atomic.Bool
	peers     map[string]*Peer // guarded by mu
}

// New returns a Pool, or an error that names the wrong field. Close must be called.
func New(cfg Config) (*Pool, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		core:  core{cfg: cfg, lim: limits{cfg.MaxKey, cfg.MaxValue}, conns: make(map[tracked]struct{})},
		peers: make(map[string]*Peer),
	}
	p.strangers.time, p.strangers.evicted = cfg.DialTimeout, p.evicted
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.watching.start(&p.cfg)
	p.wg.Go(p.watchLoop)
	return p, nil
}

// Peer returns the handle for addr, the same one until Forget. It does not dial.
func (p *Pool) Peer(addr string) *Peer {
	p.mu.RLock()
	q := p.peers[addr]
	p.mu.RUnlock()
	if q != nil {
		return q
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if q = p.peers[addr]; q == nil {
		q = newPeer(&p.core, addr)
		p.peers[addr] = q
	}
	return q
}

// Forget drops the handle of addr and what is known of it, and closes its
// connections: calls on them fail with ErrConnLost, later ones on the old handle with
// ErrUnreachable.
func (p *Pool) Forget(addr string) {
	p.mu.Lock()
	q := p.peers[addr]
	delete(p.peers, addr)
	p.mu.Unlock()
	if q != nil {
		q.close(lost("forgotten", q.gone()))
	}
}

// Drain asks every peer to close its connections to this member once its calls are
// answered, refuses new ones, and waits until none is left or ctx ends. Calls to peers
// go on.
func (p *Pool) Drain(ctx context.Context) error {
	p.mu.Lock()
	p.draining.Store(true)
	if p.idle == nil {
		p.idle = make(chan struct{})
		p.drainedLocked()
	}
	idle := p.idle
	var open []*serveConn
	for c := range p.conns {
		if c, ok := c.(*serveConn); ok {
			open = append(open, c)
		}
	}
	p.mu.Unlock()
	for _, c := range open {
		c.goaway()
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends every connection and dial, fails calls with ErrClosed, and waits for the
// pool's goroutines, handlers included. It always returns nil.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	var open []tracked
	for c := range p.conns {
		open = append(open, c)
	}
	p.mu.Unlock()
	// First the connections: a handler that sees its context end must not answer any more.
	for _, c := range open {
		c.fail(ErrClosed)
	}
	p.cancel()
	p.wg.Wait()
	return nil
}

// watchLoop looks after the open connections until Close.
func (p *Pool) watchLoop() {
	w := &p.watching
	defer w.timer.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-w.timer.C:
			w.look(now)
			p.noteStarving(w.every)
			for _, c := range p.tracked() {
				if c, ok := c.(watched); ok {
					c.look(now)
				}
			}
			w.next(p.awaited)
		}
	}
}

// awaited reports whether anybody waits for a peer.
func (p *Pool) awaited() bool {
	return p.dialling.Load() > 0 || slices.ContainsFunc(p.tracked(), func(c tracked) bool {
		calls, ok := c.(interface{ busy() bool })
		return ok && calls.busy()
	})
}

// tracked returns the open connections.
func (p *Pool) tracked() []tracked {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.Collect(maps.Keys(p.conns))
}

// Stats returns the counts so far.
func (p *Pool) Stats() Stats {
	p.mu.RLock()
	s := p.past
	for c := range p.conns {
		if t, ok := c.(tallied); ok {
			t.tally(&s)
			if c.serves() {
				s.ConnsIn++
			} else {
				s.ConnsOut++
			}
		}
	}
	p.mu.RUnlock()
	s.CallErrors, s.Retries = p.stats.callErrors.Load(), p.stats.retries.Load()
	s.Dials, s.DialErrors = p.stats.dials.Load(), p.stats.dialErrors.Load()
	s.Overloaded, s.Panics = p.stats.overloaded.Load(), p.stats.panics.Load()
	s.Refused, s.BadFrames = p.stats.refused.copy(), p.stats.badFrames.copy()
	return s
}

// evicted closes a stranger that took too long, or that had to make room.
func (p *Pool) evicted(conn net.Conn) {
	p.refuse("", &refusal{reason: refusedHandshake})
	conn.Close()
}

// carriedBy returns the connection that has the nonce and is from the same caller, or nil.
// A carrier has none.
func (p *Pool) carriedBy(nonce []byte, from string) *serveConn {
	if len(nonce) == 0 {
		return nil
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for c := range p.conns {
		if c, ok := c.(*serveConn); ok && c.carries == nil && c.from == from && bytes.Equal(c.nonce, nonce) {
			return c
		}
	}
	return nil
}
