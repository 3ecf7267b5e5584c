package owner

import (
	"context"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// joinFlight returns an entry that is there after all, perhaps with a *StaleError,
// or the flight of the key, or an error.
func (c *Part) joinFlight(ctx context.Context, hash uint64, key string, j joining) (*store.Entry, *flight, error) {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	// The store is looked at again, now that no write can slip in between: a
	// flight that ended a moment ago has left its value there.
	if e, err := c.presentLocked(s, hash, key, j.due); e != nil || err != nil {
		return e, nil, err
	}
	busy := c.busyLocked(s, hash, key)
	if c.Origin.Load == nil && !busy {
		return nil, nil, errs.ErrNotFound
	}
	l := s.lane(key)
	f := l.joinable()
	if f != nil {
		c.Counts.Deduplicated.Add(1)
		f.hurry(ctx, c.Origin)
	} else {
		f = c.newFlight(ctx, s, hash, key)
		f.hurry(ctx, c.Origin)
		l.next = f
		if !busy {
			c.beginLocked(l, f, j.into)
		}
	}
	f.waiters++
	if j.insists {
		f.insists = true
		c.insistLocked(f)
	}
	return nil, f, nil
}

// presentLocked returns what a key has without a load: an entry, perhaps with a
// *StaleError, or why this member may not load it, or neither.
func (c *Part) presentLocked(s *shard, hash uint64, key string, list *Due) (*store.Entry, error) {
	if s.closed || c.Life.IsClosing() { // loads end before the shards close
		return nil, c.closedError()
	}
	if err := c.State.MayServe(hash, c.Clock.Now()); err != nil {
		return nil, err
	}
	now := c.Clock.Now()
	if e := c.LookupOf(hash, key, now, list); e != nil {
		return e, nil
	}
	e, err := c.staleNow(hash, key, now, list)
	if e == nil {
		err = c.setbacks.last(key, now)
	}
	return e, err
}

// busyLocked reports whether a key that is not in the store must not be loaded
// now; when that ends its lane goes on. While holders serve a copy of a value that
// the store has evicted, a load could bring a newer one, and then readers would see
// the older after the newer: the leases are recalled first.
func (c *Part) busyLocked(s *shard, hash uint64, key string) bool {
	b := s.books[key]
	if b == nil {
		return false
	}
	if b.write != nil {
		return true
	}
	if !b.live(c.Clock.Now()) {
		b.holders = nil
		c.closeBookLocked(s, key, b)
		return false
	}
	b.write = make(chan struct{})
	c.Life.Begin()
	go func() {
		defer c.Life.Done()
		c.recall(s, hash, key)
		s.mu.Lock()
		c.releaseLocked(s, hash, key)
		s.mu.Unlock()
	}()
	return true
}

// leave notes that one who waited for a flight has gone. The last one cancels
// the load, and nobody may join it any more, unless it is to go on.
func (c *Part) leave(f *flight) {
	f.shard.mu.Lock()
	defer f.shard.mu.Unlock()
	c.leaveLocked(f)
}

func (c *Part) leaveLocked(f *flight) {
	f.waiters--
	switch {
	case f.waiters > 0:
	case f.state == flightWaits:
		f.shard.dropNextLocked(f)
	case !f.void && (f.goesOn || c.FinishLoads && !f.isQueued()): // who comes later joins it, or finds its value
	default:
		c.voidLocked(f)
		f.cancel()
	}
}
