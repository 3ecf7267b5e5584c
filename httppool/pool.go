package httppool

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Pool is both ends of the peer connections of one member. It is safe for concurrent
// use.
type Pool struct {
	cfg     Config
	lim     limits
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	wg      sync.WaitGroup // every goroutine of the pool, but those of a serveConn
	stats   counters
	notices notices
	tenants tenants

	strangers strangers
	serving   atomic.Int64 // open serveConns
	draining  atomic.Bool
	starving  atomic.Int32 // looks for which this process still passes for starved: see silent.go

	mu     sync.RWMutex // guards all below
	closed bool
	peers  map[string]*Peer
	conns  map[tracked]struct{}
	idle   chan struct{} // closed when draining and the last serveConn ended; nil: not draining
	past   Stats         // of connections that ended
}

// tracked is a connection that Close must end.
type tracked interface{ fail(err error) }

// New returns a Pool, or an error that names the wrong field. Close must be called.
func New(cfg Config) (*Pool, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		cfg:   cfg,
		lim:   limits{cfg.MaxKey, cfg.MaxValue},
		peers: make(map[string]*Peer),
		conns: make(map[tracked]struct{}),
	}
	p.strangers.time, p.strangers.evicted = cfg.DialTimeout, p.evicted
	p.ctx, p.cancel = context.WithCancel(context.Background())
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
		q = newPeer(p, addr)
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

// start runs f on a goroutine that Close waits for; false: the pool is closed.
func (p *Pool) start(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wg.Go(f)
	return true
}

// adopt makes Close end c, and starts its loops; false: the pool is closed.
func (p *Pool) adopt(c tracked, loops ...func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.conns[c] = struct{}{}
	if _, ok := c.(*serveConn); ok {
		p.serving.Add(1)
	}
	for _, f := range loops {
		p.wg.Go(f)
	}
	return true
}

// drop undoes adopt for a connection that ended, and keeps its counts.
func (p *Pool) drop(c tracked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.conns[c]; !ok {
		return
	}
	delete(p.conns, c)
	if t, ok := c.(tallied); ok {
		t.tally(&p.past)
	}
	if _, ok := c.(*serveConn); ok {
		p.serving.Add(-1)
		p.drainedLocked()
	}
}

// drainedLocked ends Drain's wait when no peer is connected any more. A peer whose
// handshake ends later is sent away at once, and not waited for.
func (p *Pool) drainedLocked() {
	if p.idle == nil || p.serving.Load() > 0 {
		return
	}
	select {
	case <-p.idle:
	default:
		close(p.idle)
	}
}

// watchLoop looks after the open connections until Close.
func (p *Pool) watchLoop() {
	every := p.cfg.watchEvery()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-tick.C:
			p.noteStarving(every)
			p.mu.RLock()
			var open []watched
			for c := range p.conns {
				if w, ok := c.(watched); ok {
					open = append(open, w)
				}
			}
			p.mu.RUnlock()
			for _, w := range open {
				w.look(now)
			}
		}
	}
}
