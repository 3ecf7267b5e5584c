package cachemesh

import (
	"context"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A cohort is a set of Gets that are answered by one load whose value is not
// stored, because this member does not own the key and cannot ask who does: the
// owner does not know the group, or the members disagree.
//
// No write voids such a load, so a Get may share it only if it arrived before
// the loader was called. Those who arrive while it runs form the next cohort.
// So at most one such load per key runs here at a time, and nobody waits for
// more than two.
type cohort struct {
	ctx     context.Context // ends when nobody waits
	cancel  context.CancelFunc
	waiters int           // guarded by the shard's lock
	done    chan struct{} // closed once out is set
	out     loaded
}

// loaded is what a load came to.
type loaded struct {
	entry *store.Entry
	err   error
}

// cohorts are the running cohort of a key and the one that gathers behind it.
// Guarded by the shard's lock.
type cohorts struct{ running, next *cohort }

func newCohort(ctx context.Context) *cohort {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return &cohort{ctx: ctx, cancel: cancel, done: make(chan struct{})}
}

// loadUnstored answers a Get by a load whose value is not stored. The key must
// not alias a buffer. Its errors are ctx's own, ErrClosed, ErrNotFound and
// *LoadError.
func (c *groupCore) loadUnstored(ctx context.Context, hash uint64, key string) (*store.Entry, error) {
	if c.loader == nil {
		return nil, ErrNotFound
	}
	s := c.shard(hash)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	pair, mine := s.cohorts[key], (*cohort)(nil)
	switch {
	case pair == nil:
		mine = newCohort(ctx)
		pair = &cohorts{running: mine}
		s.cohorts[key] = pair
		c.node.work.Go(func() { c.runCohorts(s, pair, key) })
	case pair.next == nil:
		pair.next = newCohort(ctx)
		fallthrough
	default:
		mine = pair.next
		c.stats.deduplicated.Add(1)
	}
	mine.waiters++
	s.mu.Unlock()

	select {
	case <-mine.done:
		return mine.out.entry, mine.out.err
	case <-ctx.Done():
		s.leaveCohort(pair, mine)
		return nil, ctx.Err()
	case <-c.node.closing:
		return nil, ErrClosed
	}
}

// leaveCohort notes that one who waited has gone. The last one cancels the
// load, and nobody joins a cohort that is cancelled.
func (s *shard) leaveCohort(pair *cohorts, mine *cohort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if mine.waiters--; mine.waiters > 0 {
		return
	}
	mine.cancel()
	if pair.next == mine {
		pair.next = nil
	}
}

// runCohorts runs one cohort after the other until none gathers any more.
func (c *groupCore) runCohorts(s *shard, pair *cohorts, key string) {
	for co := pair.running; co != nil; {
		ctx, cancel := context.WithTimeout(co.ctx, c.loadTimeout)
		co.out.entry, co.out.err = c.callLoader(ctx, key, new(atomic.Bool))
		cancel()
		co.cancel()
		close(co.done)

		s.mu.Lock()
		pair.running, pair.next = pair.next, nil
		if co = pair.running; co == nil {
			delete(s.cohorts, key)
		}
		s.mu.Unlock()
	}
}
