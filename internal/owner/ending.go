package owner

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// IsCut reports whether the group was closed and holds nothing any more.
func (c *Part) IsCut() bool { return c.cut.Load() }

// Open returns ErrGroupClosed if the group was closed.
func (c *Part) Open() error {
	if c.IsCut() {
		return errs.ErrGroupClosed
	}
	return nil
}

// closedError says why a shard is closed. What a group without a loader holds is kept
// elsewhere when it is cut: until that has happened writes and Gets must wait, for a Delete
// that finds nothing here has not reached it.
func (c *Part) closedError() error {
	switch {
	case c.Life.IsClosing():
		return errs.ErrClosed
	case c.Origin.Load == nil && !c.IsCut():
		return errs.ErrUnsettled
	}
	return errs.ErrGroupClosed
}

// EndLeases grants no lease any more, and recalls those that are out. It takes no longer
// than the longest of them.
func (c *Part) EndLeases() {
	c.allShards() // those that stop leases are those that would grant them
	leased := make(map[string]*shard)
	c.eachShard(func(s *shard) {
		s.clearing++
		for key := range s.books {
			leased[key] = s
		}
	})
	over := clock.Later(c.Clock.Now(), c.Lease)
	var all errgroup.Group
	all.SetLimit(ClearCalls)
	for key, s := range leased {
		all.Go(func() error { c.endLeasesOn(s, key, over); return nil })
	}
	all.Wait()
}

// endLeasesOn recalls the leases on one key. Those that a write or a load that is under
// way recalls are over when that is, or at the time over.
func (c *Part) endLeasesOn(s *shard, key string, over int64) {
	for {
		s.mu.Lock()
		now, b := c.Clock.Now(), s.books[key]
		switch {
		case now >= over, b == nil, b.write == nil && !b.live(now):
			s.mu.Unlock()
			return
		case b.write == nil:
			b.write = make(chan struct{})
			s.mu.Unlock()
			hash := ring.Hash(c.Seed, key)
			c.recall(s, hash, key)
			s.mu.Lock()
			c.releaseLocked(s, hash, key)
			s.mu.Unlock()
			return
		}
		busy := b.write
		s.mu.Unlock()
		lapse := time.NewTimer(time.Duration(over - now))
		select {
		case <-busy:
		case <-lapse.C:
		case <-c.Life.Closing():
			lapse.Stop()
			return
		}
		lapse.Stop()
	}
}

// CloseShards lets nothing new begin.
func (c *Part) CloseShards() {
	c.eachShard(func(s *shard) { s.closed = true })
}

// AwaitQuiet waits until no load, no write and no Writer that it can wait for is under way.
func (c *Part) AwaitQuiet() error {
	for !c.isQuiet() {
		if err := c.Life.Pause(context.Background(), quietPause); err != nil {
			return err
		}
	}
	return nil
}

func (c *Part) isQuiet() bool {
	quiet := true
	c.eachShard(func(s *shard) {
		quiet = quiet && s.running == 0 && len(s.cohorts) == 0
		for _, b := range s.books {
			quiet = quiet && b.write == nil
		}
		for _, w := range s.writings {
			quiet = quiet && w.givenUp
		}
	})
	return quiet
}

// calledOff returns what those hear whose load ended with an error: that the group was
// closed, if it was called off for that.
func (c *Part) calledOff(err error) error {
	if err != nil && c.IsCut() && c.Loading.Err() != nil && !c.Life.IsClosing() {
		return errs.ErrGroupClosed
	}
	return err
}

// quietPause is between two looks whether all is quiet.
const quietPause = 5 * time.Millisecond

// SetCut says that the group was closed: nothing is held any more.
func (c *Part) SetCut() { c.cut.Store(true) }

// ForgetFailures forgets what loaders said.
func (c *Part) ForgetFailures() {
	c.setbacks.forgetAll()
	c.reasons.forgetAll()
}

// Release gives the shards of a part back that was closed.
func (c *Part) Release() { c.shards.Store(closedShards) }

// EachSettled calls f for what is held. A value of which the origin is being
// written is not among it: whatever comes of that, it is the former one.
func (c *Part) EachSettled(f func(hash uint64, e *store.Entry)) {
	writing := make(map[string]bool)
	c.eachShard(func(s *shard) {
		for key := range s.writings {
			writing[key] = true
		}
	})
	c.Store.Range(c.Clock.Now(), func(hash uint64, e *store.Entry) bool {
		if !writing[e.Key] {
			f(hash, e)
		}
		return true
	})
}

// Unstored returns what is closed when the loads whose value is not stored, and
// that run or wait now, are done or nobody waits for them any more.
func (c *Part) Unstored() (done []<-chan struct{}) {
	c.eachShard(func(s *shard) {
		for _, pair := range s.cohorts {
			for _, co := range []*cohort{pair.running, pair.next} {
				if co != nil {
					done = append(done, co.ctx.Done())
				}
			}
		}
	})
	return done
}

// AwaitIdle waits until no load whose value may be stored and no write that waits for
// leases runs. Errors: ctx's own and ErrClosed.
func (c *Part) AwaitIdle(ctx context.Context) error {
	shards := c.made()
	for i := range shards {
		for !shards[i].idle() {
			if err := c.Life.Pause(ctx, quietPause); err != nil {
				return err
			}
		}
	}
	return nil
}

// idle reports whether no load whose value may be stored and no write that waits for
// leases runs in the shard.
func (s *shard) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running > 0 {
		return false
	}
	for _, b := range s.books {
		if b.write != nil {
			return false
		}
	}
	return true
}
