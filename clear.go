package cachemesh

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// clearCalls bounds how many peers are told at once, and how many recalls one
// member makes.
const clearCalls = 32

// clear clears the group on every member. All must act by one view that has
// settled, or values on their way to a new owner would be missed; until they do,
// and while a member cannot be reached, it tries again until ctx ends.
func (c *groupCore) clear(ctx context.Context) error {
	ctx, cancel := c.node.bounded(ctx)
	defer cancel()
	wait := retryFloor
	for {
		err, again := c.clearOnce(ctx)
		if !again {
			if errors.Is(err, errs.ErrMinority) {
				c.oweAll()
			}
			return err
		}
		c.stats.retries.Add(1)
		if cause := c.life.Pause(ctx, wait); cause != nil {
			if errs.IsUnsettled(err) {
				return errs.Unsettled(cause)
			}
			return err
		}
		wait = min(2*wait, retryCeiling)
	}
}

// clearOnce tells every member once. It reports whether it may help to try again.
func (c *groupCore) clearOnce(ctx context.Context) (err error, again bool) {
	v, err := c.state.Current(ctx)
	if err != nil {
		return err, false
	}
	errs := make([]error, len(v.Owners))
	var g errgroup.Group
	g.SetLimit(clearCalls)
	for i := range v.Owners {
		g.Go(func() error { errs[i] = c.clearAt(ctx, &v.Owners[i], v); return nil })
	}
	g.Wait()
	for _, err := range errs {
		if err == nil {
			continue
		}
		if !c.mayRetry(err, change{cacheOnly: true}) {
			return errors.Join(errs...), false
		}
		again = true
	}
	return errors.Join(errs...), again
}

func (c *groupCore) clearAt(ctx context.Context, o *view.Owner, v *view.View) error {
	if o.Peer == nil {
		if c.origin.Load != nil && c.isCut() {
			return nil // it holds nothing any more
		}
		return c.clearHere(ctx, v.ID)
	}
	k := wire.NewCall(wire.OpClear, c.name, "")
	defer k.Free()
	k.Req.View, k.Req.Idempotent = v.ID, true
	if err := c.do(ctx, o, k); !errors.Is(err, errs.ErrUnknownGroup) {
		return err
	}
	return nil // a member that does not know the group holds nothing of it
}

// clearHere forgets everything that this member owns of the group, and recalls
// the copies of it. The origin stays as it is. The id is that of the view by which
// the caller acts. The keys' history has the Clear where the store is emptied; so
// what is loaded around that, and may be older, is not stored.
func (c *part) clearHere(ctx context.Context, id uint64) error {
	if !c.state.ActsBy(id) {
		return errs.ErrUnsettled
	}
	leased := c.beginClear()
	err := c.deleteLeased(ctx, leased)
	c.eachShard(func(s *shard) {
		s.emptying++
		c.voidAllLocked(s)
	})
	c.store.Clear()
	c.setbacks.forgetAll()
	c.reasons.forgetAll()
	closed := false
	c.eachShard(func(s *shard) {
		s.emptying--
		s.clearing--
		c.voidAllLocked(s)
		closed = closed || s.closed
	})
	switch {
	case err != nil:
		return err
	case closed: // what it held may be kept elsewhere
		return c.closedError()
	case !c.state.ActsBy(id):
		return errs.ErrUnsettled
	case c.state.Phase() == view.AsMinority:
		return &errs.PeerError{Op: wire.OpNames[wire.OpClear], Member: c.member, Addr: c.addr, MaybeApplied: true, Err: errs.ErrMinority}
	}
	return nil
}

// beginClear stops leases, and returns the keys with leases out: one could be
// granted for a value that the store is about to lose.
func (c *part) beginClear() (leased []string) {
	c.allShards() // those that stop leases are those that grant them again
	c.eachShard(func(s *shard) {
		s.clearing++
		for key := range s.books {
			leased = append(leased, key)
		}
	})
	return leased
}

// deleteLeased recalls the copies of keys, by deleting these.
func (c *part) deleteLeased(ctx context.Context, keys []string) error {
	var mu sync.Mutex // guards errs
	var errs []error
	var g errgroup.Group
	g.SetLimit(clearCalls)
	for _, key := range keys {
		g.Go(func() error {
			if err := c.write(ctx, ring.Hash(c.seed, key), key, change{cacheOnly: true}); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
			return nil
		})
	}
	g.Wait()
	return errors.Join(errs...)
}

// eachShard calls f for each shard that was made, under its lock.
func (c *part) eachShard(f func(s *shard)) {
	shards := c.made()
	for i := range shards {
		s := &shards[i]
		s.mu.Lock()
		f(s)
		s.mu.Unlock()
	}
}

// voidAllLocked takes back the tokens of all loads.
func (c *part) voidAllLocked(s *shard) {
	for key := range s.lanes {
		c.voidKeyLocked(s, key)
	}
	for key := range s.tooLarge {
		c.forgetTooLargeLocked(s, key)
	}
	s.changes.Add(1)
}
