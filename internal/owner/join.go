package owner

import (
	"context"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// gets are those who wait for loads.
type gets struct{ *loads }

// joining says how a key's flight is joined.
type joining struct {
	insists bool       // see flight
	into    *loadBatch // the call of LoadMany that a flight joins that begins at once; nil: none
	due     *Due       // see Part.Lookup
}

// joinFlight returns an entry that is there after all, perhaps with a *StaleError,
// or the flight of the key, or an error.
func (c *gets) joinFlight(ctx context.Context, hash uint64, key string, j joining) (*store.Entry, *flight, error) {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	// The store is looked at again, now that no write can slip in between: a
	// flight that ended a moment ago has left its value there.
	e, due, err := c.presentLocked(s, hash, key)
	if due {
		c.refreshDue(e, j.due)
	}
	if e != nil || err != nil {
		return e, nil, err
	}
	busy, recall := c.busyLocked(s, hash, key)
	if c.Origin.Load == nil && !busy {
		return nil, nil, errs.ErrNotFound
	}
	n := next{recall: recall}
	l := s.lanes.of(key)
	f := l.joinable()
	if f != nil {
		c.Counts.Deduplicated.Add(1)
		f.hurry(ctx, c.Origin)
	} else {
		f = newFlight(ctx, s, hash, key)
		f.hurry(ctx, c.Origin)
		l.next = f
		if !busy {
			n = c.beginLocked(l, f, j.into)
		}
	}
	f.waiters++
	if f.claim != nil {
		c.watchLocked(s, key)
	} else if j.insists {
		f.insists = true
		c.insistLocked(f)
	}
	c.doLocked(s, hash, key, n)
	return nil, f, nil
}

// leave notes that one who waited for a flight has gone. The last one cancels
// the load, and nobody may join it any more, unless it is to go on.
func (c *gets) leave(f *flight) {
	f.shard.mu.Lock()
	defer f.shard.mu.Unlock()
	c.leaveLocked(f)
}

func (c *gets) leaveLocked(f *flight) {
	f.waiters--
	switch {
	case f.waiters > 0:
	case f.claim != nil && (f.state != flightWaits || len(f.claim.line) > 0): // it is the claimant's, or will be
	case f.state == flightWaits:
		f.shard.lanes.dropNext(f)
	case !f.void && (f.goesOn || c.FinishLoads && !f.isQueued()): // who comes later joins it, or finds its value
	default:
		c.voidLocked(f)
		f.cancel()
	}
}

// Waiting returns how many callers wait for the load of a key.
func (c *gets) Waiting(hash uint64, key string) int {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lanes[key]; l != nil && l.joinable() != nil {
		return l.joinable().waiters
	}
	return 0
}
