package owner

import (
	"errors"
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

var errMadeRoom = errors.New("what its last load said has made room for what others said")

const (
	retryLoadMin = 100 * time.Millisecond
	retryLoadMax = 10 * time.Second
)

// attend puts a new entry under the care that the group's options want: when it
// is refreshed, and how long it may be served after its TTL.
func (c *Part) attend(e *store.Entry, now int64) {
	if c.RefreshAfter == 0 && c.RefreshPart == 0 && c.StaleFor == 0 || e.Expires == DoNotStore || e.Negative {
		return
	}
	care := &store.Care{Fresh: e.Expires}
	switch {
	case c.RefreshAfter > 0:
		care.Next.Store(clock.Later(now, c.RefreshAfter))
	case c.RefreshPart > 0 && e.Expires != 0:
		care.Next.Store(now + int64(c.RefreshPart*float64(e.Expires-now)))
	}
	if c.StaleFor > 0 && e.Expires != 0 && !c.State.Limited() {
		e.Expires = clock.Later(e.Expires, c.StaleFor)
	}
	e.Care = care
}

// A Due list gathers the entries that one call found due for refresh, to be loaded
// together.
type Due []*store.Entry

// LookupOf returns the entry of a key that this node owns, if it may be served as it
// is. If it is time to refresh it, one caller sees to that; a call that asks for
// several keys has it listed instead, list is nil for one that does not.
func (c *Part) LookupOf(hash uint64, key string, now int64, list *Due) *store.Entry {
	e := c.Store.Get(hash, key, now)
	if e == nil || e.Foreign {
		return nil
	}
	if e.Care == nil {
		return e
	}
	return c.lookAfter(hash, e, now, list)
}

// lookAfter is LookupOf an entry that takes care.
func (c *Part) lookAfter(hash uint64, e *store.Entry, now int64, list *Due) *store.Entry {
	if e.Care.Fresh != 0 && now >= e.Care.Fresh {
		return nil
	}
	if next := e.Care.Next.Load(); next != 0 && now >= next && e.Care.Next.CompareAndSwap(next, clock.Later(now, c.LoadTimeout)) {
		c.refreshDue(e, list)
	}
	return e
}

// refreshDue refreshes an entry, with others that are due if there is a list.
func (c *Part) refreshDue(e *store.Entry, list *Due) {
	if list != nil && c.Origin.LoadMany != nil {
		*list = append(*list, e)
		return
	}
	c.refresh([]*store.Entry{e})
}

// RefreshAll refreshes what is due, with as few calls of LoadMany as can be, and
// empties the list.
func (c *Part) RefreshAll(list *Due) {
	for part := range slices.Chunk(*list, MaxLoadMany) {
		c.refresh(slices.Clone(part))
	}
	*list = (*list)[:0]
}

// FreshUntil returns when an entry's TTL ends, 0 for never.
func FreshUntil(e *store.Entry) int64 {
	if e.Care != nil {
		return e.Care.Fresh
	}
	return e.Expires
}

// refresh reloads values in the background while they are served, several with one
// call of LoadMany. Their flights are ordinary ones: they void like any other when
// the key is written, and whoever misses the key meanwhile joins it.
func (c *Part) refresh(entries []*store.Entry) {
	c.Life.Go(func() {
		var b *loadBatch
		if len(entries) > 1 {
			b = c.newBatch(c.Life.Context())
		}
		flights := make([]*flight, 0, len(entries))
		for _, e := range entries {
			if f := c.beginRefresh(e, b); f != nil {
				flights = append(flights, f)
			}
		}
		c.Counts.Refreshes.Add(uint64(len(flights)))
		if b != nil {
			b.start()
		}
		for _, f := range flights {
			<-f.done
		}
	})
}

// beginRefresh begins the load of a value that is to be refreshed. It returns nil if
// that cannot be now.
func (c *Part) beginRefresh(e *store.Entry, into *loadBatch) *flight {
	hash := ring.Hash(c.Seed, e.Key)
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	// A load beside a write could show what is written before all holders have
	// dropped the former value.
	writing := s.books[e.Key] != nil && s.books[e.Key].write != nil
	if s.closed || writing || c.State.MayServe(hash, c.Clock.Now()) != nil {
		return nil
	}
	l := s.lane(e.Key)
	if l.joinable() != nil || l.isFull() {
		return nil
	}
	f := c.newFlight(c.Life.Context(), s, hash, e.Key)
	f.refresh = e
	f.waiters = 1 // the refresh itself waits: it is not called off
	c.beginLocked(l, f, into)
	return f
}

// fallBackLocked returns what a failed load ends in: the value that is still
// kept, with a *StaleError if its TTL has passed, else the error.
func (c *Part) fallBackLocked(f *flight, err error) (*store.Entry, error) {
	hash, key, now := f.hash, f.key, c.Clock.Now()
	e := c.Store.Peek(hash, key, now)
	if e == nil || e.Care == nil || e.Foreign {
		c.fail(key, f.memo)
		return nil, err
	}
	wait := backoff(retryLoadMin, int(e.Care.Failures.Add(1)))
	c.reasons.explain(key, f.memo)
	e.Care.Next.Store(now + int64(wait))
	if e.Care.Fresh == 0 || now < e.Care.Fresh {
		return e, nil
	}
	return e, c.staleError(e, now)
}

func (c *Part) staleError(e *store.Entry, now int64) error {
	c.Counts.StaleServed.Add(1)
	stale := &errs.StaleError{Group: c.Name, Key: e.Key, Age: time.Duration(now - e.Care.Fresh)}
	if stale.Err = c.reasons.reason(e.Key); stale.Err == nil {
		stale.Err = &errs.LoadError{Group: c.Name, Key: e.Key, Member: c.Member, Err: errMadeRoom}
	}
	return stale
}

// staleNow returns a value past its TTL, with a *StaleError, if a load failed a
// moment ago. Nobody waits for the next attempt then, which may hang: it is made
// in the background.
func (c *Part) staleNow(hash uint64, key string, now int64, list *Due) (*store.Entry, error) {
	if c.StaleFor == 0 {
		return nil, nil
	}
	e := c.Store.Peek(hash, key, now)
	if e == nil || e.Care == nil || e.Foreign || e.Care.Failures.Load() == 0 {
		return nil, nil
	}
	next := e.Care.Next.Load()
	if now >= clock.Later(next, retryLoadMax) {
		return nil, nil // nobody asked for long: the origin may be well by now
	}
	if now >= next && e.Care.Next.CompareAndSwap(next, clock.Later(now, c.LoadTimeout)) {
		c.refreshDue(e, list)
	}
	return e, c.staleError(e, now)
}
