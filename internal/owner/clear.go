package owner

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

// ClearCalls bounds how many peers are told at once, and how many recalls one
// member makes.
const ClearCalls = 32

// ClearHere forgets everything that this member owns of the group, and recalls
// the copies of it. The origin stays as it is. The id is that of the view by which
// the caller acts. The keys' history has the Clear where the store is emptied; so
// what is loaded around that, and may be older, is not stored.
func (c *Part) ClearHere(ctx context.Context, id uint64) error {
	if !c.State.ActsBy(id) {
		return errs.ErrUnsettled
	}
	leased := c.beginClear()
	err := c.deleteLeased(ctx, leased)
	c.eachShard(func(s *shard) {
		s.emptying++
		c.voidAllLocked(s)
	})
	c.Store.Clear()
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
	case !c.State.ActsBy(id):
		return errs.ErrUnsettled
	case c.State.Phase() == view.AsMinority:
		return &errs.PeerError{Op: wire.OpNames[wire.OpClear], Member: c.Member, Addr: c.Addr, MaybeApplied: true, Err: errs.ErrMinority}
	}
	return nil
}

// beginClear stops leases, and returns the keys with leases out: one could be
// granted for a value that the store is about to lose.
func (c *Part) beginClear() (leased []string) {
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
func (c *Part) deleteLeased(ctx context.Context, keys []string) error {
	var mu sync.Mutex // guards errs
	var errs []error
	var g errgroup.Group
	g.SetLimit(ClearCalls)
	for _, key := range keys {
		g.Go(func() error {
			if err := c.Write(ctx, ring.Hash(c.Seed, key), key, Change{CacheOnly: true}); err != nil {
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
func (c *Part) eachShard(f func(s *shard)) {
	shards := c.made()
	for i := range shards {
		s := &shards[i]
		s.mu.Lock()
		f(s)
		s.mu.Unlock()
	}
}

// voidAllLocked takes back the tokens of all loads.
func (c *Part) voidAllLocked(s *shard) {
	for key := range s.lanes {
		c.voidKeyLocked(s, key)
	}
	for key := range s.tooLarge {
		c.forgetTooLargeLocked(s, key)
	}
	s.changes.Add(1)
}
