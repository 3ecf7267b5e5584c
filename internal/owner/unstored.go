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

// unstored are the loads of a part whose value is not stored: see cohort.
type unstored struct{ *loads }

// LoadUnstored answers a Get by a load whose value is not stored, as a stand-in or
// not. The key must not alias a buffer. Its errors are ctx's own, ErrClosed,
// ErrNotFound and *LoadError.
func (c *unstored) LoadUnstored(ctx context.Context, hash uint64, key string, standIn bool) (*store.Entry, error) {
	if c.Origin.Load == nil || c.Cache {
		return nil, errs.ErrNotFound
	}
	return c.LoadUnstoredBy(ctx, hash, key, standIn, c.Origin.Load)
}

// LoadUnstoredBy is LoadUnstored by a loader of the caller's, which may answer others that
// wait for the key here, as theirs may answer the caller.
func (c *unstored) LoadUnstoredBy(ctx context.Context, hash uint64, key string, standIn bool, load LoadFunc) (*store.Entry, error) {
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
		mine = newCohort(ctx, load)
		pair = &cohorts{running: mine}
		s.cohorts[own] = pair
		c.Life.Begin()
		go c.runCohorts(s, pair, hash, own)
	case pair.next == nil:
		pair.next = newCohort(ctx, load)
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
		s.mu.Lock()
		pair.leave(mine)
		s.mu.Unlock()
		return nil, ctx.Err()
	case <-c.Life.Closing():
		return nil, errs.ErrClosed
	}
}

// runCohorts runs one cohort after the other until none gathers any more.
func (c *unstored) runCohorts(s *shard, pair *cohorts, hash uint64, key string) {
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
func (c *unstored) runCohort(co *cohort, s *shard, hash uint64, key string) {
	ctx, cancel := context.WithTimeout(co.ctx, c.LoadTimeout)
	defer cancel()
	defer context.AfterFunc(c.Loading, cancel)()
	f := &flight{shard: s, hash: hash, key: key, ctx: ctx}
	returned := make(chan struct{})
	begun := false
	if co.out.Err = cmp.Or(ctx.Err(), c.Loading.Err()); co.out.Err == nil { // else nobody waits any more
		s.mu.Lock()
		begun = s.lanes.of(key).countLocked(f)
		s.mu.Unlock()
		co.out.Err = c.Origin.LoadError(key, errStuck)
	}
	if begun {
		co.out.Entry, co.out.Err = c.Origin.Call(ctx, key, &co.place, co.load, func() { c.returned(f); close(returned) })
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
func (c *unstored) spaceLocked(s *shard, pair *cohorts, last *cohort, began time.Time) {
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

// Unstored returns what is closed when the loads whose value is not stored, and
// that run or wait now, are done or nobody waits for them any more.
func (c *unstored) Unstored() (done []<-chan struct{}) {
	c.eachShard(func(s *shard) {
		for _, pair := range s.cohorts {
			pair.all(func(co *cohort) { done = append(done, co.ctx.Done()) })
		}
	})
	return done
}
