package route

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/life"
)

// Noted are the claims that this member has asked for, or has. Each is noted before it is
// asked for, so that an owner whose answer is on its way, or lost, hears what is true: what is
// noted is held. The zero value is fit for use; its methods are called concurrently.
type Noted struct {
	mu      sync.Mutex       // guards the fields below
	until   map[uint64]int64 // when the claim ends; never: it was not answered yet
	over    chan struct{}    // closed when one ends; nil: nobody waits for that
	sweepAt int              // how many are noted when those whose time has passed are dropped
}

const (
	maxNoted  = 65536
	sweepFrom = 1024
	unended   = int64(1) << 62
)

// begin notes a claim that is about to be asked for, by a number that nobody else gives. It
// fails with errs.ErrOverloaded if there are too many.
func (n *Noted) begin(now int64) (id uint64, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.until) >= max(n.sweepAt, sweepFrom) {
		for id, until := range n.until {
			if until <= now {
				delete(n.until, id)
			}
		}
		n.sweepAt = min(2*len(n.until), maxNoted)
	}
	if len(n.until) >= maxNoted {
		return 0, errs.ErrOverloaded
	}
	if n.until == nil {
		n.until = make(map[uint64]int64)
	}
	id = rand.Uint64()
	n.until[id] = unended
	return id, nil
}

// hold notes until when a claim stands.
func (n *Noted) hold(id uint64, until int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, noted := n.until[id]; noted {
		n.until[id] = until
	}
}

// end forgets a claim.
func (n *Noted) end(id uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.until, id)
	if n.over != nil {
		close(n.over)
		n.over = nil
	}
}

// which returns which of these are held, whether all are, and what is closed when one ends.
func (n *Noted) which(ids []uint64, now int64) (held []bool, all bool, over <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	held, all = make([]bool, len(ids)), true
	for i, id := range ids {
		until, noted := n.until[id]
		held[i] = noted && now < until
		all = all && held[i]
	}
	if n.over == nil {
		n.over = make(chan struct{})
	}
	return held, all, n.over
}

// Await returns which of these claims are held, as soon as one is not, or after the time wait.
func (n *Noted) Await(ctx context.Context, l *life.Life, c *clock.Clock, ids []uint64, wait time.Duration) []bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		held, all, over := n.which(ids, c.Now())
		if !all {
			return held
		}
		select {
		case <-over:
		case <-t.C:
			return held
		case <-ctx.Done():
			return held
		case <-l.Closing():
			return held
		}
	}
}
