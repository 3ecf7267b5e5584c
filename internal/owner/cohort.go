package owner

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A cohort is a set of Gets that are answered by one load whose value is not
// stored, because this member does not own the key and cannot ask who does: the
// owner cannot be reached or has no value to give, or the members disagree.
//
// No write voids such a load, so a Get may share it only if it arrived before
// the loader was called. Those who arrive while it runs form the next cohort.
// So at most one such load per key runs here at a time, and nobody waits for
// more than two. Those for an owner that cannot be reached follow each other no
// faster than standInSpacing: nothing that they bring is kept, and the origin
// must not see a load for every Get.
type cohort struct {
	ctx     context.Context // ends when nobody waits
	cancel  context.CancelFunc
	place   origin.Place  // in the queue for a turn to call the loader
	waiters int           // guarded by the shard's lock
	done    chan struct{} // closed once out is set
	out     origin.Loaded
}

// cohorts are the running cohort of a key and the one that gathers behind it.
// Guarded by the shard's lock.
type cohorts struct {
	running *cohort // nil between two loads
	next    *cohort
	spaced  bool           // it is loaded for an owner that cannot be reached
	kept    *origin.Loaded // with faults.KeepStandIn, between two loads: the last
}

const (
	standInSpacing = 100 * time.Millisecond
	maxSpaced      = 64 // keys of a shard that are spaced at once; others are not
)

func newCohort(ctx context.Context) *cohort {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return &cohort{ctx: ctx, cancel: cancel, done: make(chan struct{})}
}

// LoadUnstored answers a Get by a load whose value is not stored, as a stand-in or
// not. The key must not alias a buffer. Its errors are ctx's own, ErrClosed,
// ErrNotFound and *LoadError.
func (c *Part) LoadUnstored(ctx context.Context, hash uint64, key string, standIn bool) (*store.Entry, error) {
	if c.Origin.Load == nil {
		return nil, errs.ErrNotFound
	}
	s := c.shard(hash)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, cmp.Or(c.Open(), c.closedError())
	}
	pair, mine := s.cohorts[key], (*cohort)(nil)
	switch {
	case pair != nil && pair.kept != nil:
		kept := *pair.kept
		s.mu.Unlock()
		return kept.Entry, kept.Err
	case pair == nil:
		own := strings.Clone(key) // a loader may keep it, and it may be a part of a large string
		mine = newCohort(ctx)
		pair = &cohorts{running: mine}
		s.cohorts[own] = pair
		c.Life.Begin()
		go c.runCohorts(s, pair, hash, own)
	case pair.next == nil:
		pair.next = newCohort(ctx)
		fallthrough
	default:
		mine = pair.next
		c.Counts.Deduplicated.Add(1)
	}
	c.Origin.HurryUp(ctx, &mine.place)
	if pair.running != nil && origin.HoldsTurn(ctx, c.Name) { // mine comes after it
		c.Origin.HurryUp(ctx, &pair.running.place)
	}
	mine.waiters++
	pair.spaced = pair.spaced || standIn
	s.mu.Unlock()

	select {
	case <-mine.done:
		return mine.out.Entry, mine.out.Err
	case <-ctx.Done():
		s.leaveCohort(pair, mine)
		return nil, ctx.Err()
	case <-c.Life.Closing():
		return nil, errs.ErrClosed
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
		close(mine.done) // it never runs; Shutdown may wait for it
	}
}

// runCohorts runs one cohort after the other until none gathers any more.
func (c *Part) runCohorts(s *shard, pair *cohorts, hash uint64, key string) {
	defer c.Life.Done()
	for co := pair.running; co != nil; {
		began := time.Now()
		c.runCohort(co, s, hash, key)

		s.mu.Lock()
		pair.running = nil
		if pair.spaced && s.spaced < maxSpaced {
			c.spaceLocked(s, pair, co, began)
		}
		pair.running, pair.next = pair.next, nil
		if co = pair.running; co == nil {
			delete(s.cohorts, key)
		}
		s.mu.Unlock()
	}
}

// runCohort answers one cohort. It returns when the loader has, or when its time is
// over, so that the next one does not run beside it. The load counts in the key's
// lane.
func (c *Part) runCohort(co *cohort, s *shard, hash uint64, key string) {
	ctx, cancel := context.WithTimeout(co.ctx, c.LoadTimeout)
	defer cancel()
	defer context.AfterFunc(c.Loading, cancel)()
	f := &flight{shard: s, hash: hash, key: key, ctx: ctx}
	returned := make(chan struct{})
	begun := false
	if co.out.Err = cmp.Or(ctx.Err(), c.Loading.Err()); co.out.Err == nil { // else nobody waits any more
		s.mu.Lock()
		begun = s.lane(key).countLocked(f)
		s.mu.Unlock()
		co.out.Err = c.Origin.LoadError(key, errStuck)
	}
	if begun {
		co.out.Entry, co.out.Err = c.Origin.CallLoad(ctx, key, &co.place, func() { c.returned(f); close(returned) })
	}
	co.out.Err = c.calledOff(co.out.Err)
	co.cancel()
	close(co.done)
	if !begun {
		return
	}
	deadline, _ := ctx.Deadline()
	over := time.NewTimer(time.Until(deadline))
	defer over.Stop()
	select {
	case <-returned:
	case <-c.Life.Closing():
	case <-over.C:
		s.mu.Lock()
		c.giveUpLocked(f)
		s.mu.Unlock()
	}
}

// spaceLocked waits until the next load of a key may begin, for which others gather
// meanwhile. It unlocks s.
func (c *Part) spaceLocked(s *shard, pair *cohorts, last *cohort, began time.Time) {
	spacing := standInSpacing
	if c.Faults.KeepStandIn {
		spacing, pair.kept = 500*time.Millisecond, &last.out
	}
	s.spaced++
	s.mu.Unlock()
	// An error means that the node closes: then nobody waits any more.
	_ = c.Life.Pause(c.Life.Context(), time.Until(began.Add(spacing)))
	s.mu.Lock()
	s.spaced--
	pair.kept = nil
}
