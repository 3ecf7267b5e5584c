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
	pool   *core
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

func newPeer(p *core, addr string) *Peer {
	q := &Peer{pool: p, addr: addr, places: make([]place, p.cfg.ConnsPerPeer)}
	q.ctx, q.cancel = context.WithCancel(p.ctx)
	return q
}

// Addr returns the address that q calls.
func (q *Peer) Addr() string { return q.addr }

func (q *Peer) failed(sent bool, err error) error {
	q.pool.stats.callErrors.Add(1)
	return &CallError{Addr: q.addr, Sent: sent, Err: err}
}

// gone says why q is no longer usable.
func (q *Peer) gone() error {
	if q.pool.ctx.Err() != nil {
		return ErrClosed
	}
	return fmt.Errorf("%w: the peer was forgotten", ErrUnreachable)
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

// retryLocked makes dials due at once.
func (q *Peer) retryLocked() {
	q.hushed.Store(nil)
	for i := range q.places {
		q.places[i].back = backoff{}
		q.places[i].due.Store(0)
	}
}
