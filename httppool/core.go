package httppool

import (
	"context"
	"sync"
	"sync/atomic"
)

// core is what all connections of a pool share: the configuration, the counters, and the books
// of those that are open.
type core struct {
	cfg     Config
	lim     limits
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	wg      sync.WaitGroup // every goroutine of the pool, but those of a serveConn
	stats   counters
	notices notices

	serving  atomic.Int64 // open serveConns
	watching watching
	dialling atomic.Int32 // dials that somebody waits for
	starving atomic.Int32 // looks for which this process still passes for starved: see silent.go

	mu     sync.RWMutex // guards all below, and Pool.peers
	closed bool
	conns  map[tracked]struct{}
	idle   chan struct{} // closed when draining and the last serveConn ended; nil: not draining
	past   Stats         // of connections that ended
}

// tracked is a connection that Close must end.
type tracked interface {
	fail(err error)
	serves() bool // it is a serveConn
}

// start runs f on a goroutine that Close waits for; false: the pool is closed.
func (p *core) start(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wg.Go(f)
	return true
}

// adopt makes Close end c, and starts its loops; false: the pool is closed.
func (p *core) adopt(c tracked, loops ...func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.conns[c] = struct{}{}
	if c.serves() {
		p.serving.Add(1)
	}
	for _, f := range loops {
		p.wg.Go(f)
	}
	return true
}

// drop undoes adopt for a connection that ended, and keeps its counts.
func (p *core) drop(c tracked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.conns[c]; !ok {
		return
	}
	delete(p.conns, c)
	if t, ok := c.(tallied); ok {
		t.tally(&p.past)
	}
	if c.serves() {
		p.serving.Add(-1)
		p.drainedLocked()
	}
}

// drainedLocked ends Drain's wait when no peer is connected any more. A peer whose
// handshake ends later is sent away at once, and not waited for.
func (p *core) drainedLocked() {
	if p.idle == nil || p.serving.Load() > 0 {
		return
	}
	select {
	case <-p.idle:
	default:
		close(p.idle)
	}
}
