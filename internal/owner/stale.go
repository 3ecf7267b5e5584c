package owner

import (
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

var errMadeRoom = errors.New("what its last load said has made room for what others said")

// lookup returns what may be served of a key as it is, nil for nothing, and whether the
// caller is to refresh it.
func (c *memory) lookup(hash uint64, key string, now int64) (e *store.Entry, due bool) {
	e = c.Store.Get(hash, key, now)
	if e == nil || e.Foreign {
		return nil, false
	}
	return c.tend(e, now)
}

// staleNow returns a value past its TTL, with a *StaleError, if a load failed a
// moment ago, and whether the caller is to refresh it. Nobody waits for the next attempt,
// which may hang: it is made in the background.
func (c *memory) staleNow(hash uint64, key string, now int64) (e *store.Entry, due bool, err error) {
	if c.StaleFor == 0 {
		return nil, false, nil
	}
	e = c.Store.Peek(hash, key, now)
	if e == nil || e.Care == nil || e.Foreign || e.Care.Failures.Load() == 0 {
		return nil, false, nil
	}
	next := e.Care.Next.Load()
	if now >= clock.Later(next, retryLoadMax) {
		return nil, false, nil // nobody asked for long: the origin may be well by now
	}
	due = now >= next && e.Care.Next.CompareAndSwap(next, clock.Later(now, c.LoadTimeout))
	return e, due, c.staleError(e, now)
}

func (c *memory) staleError(e *store.Entry, now int64) error {
	c.Counts.StaleServed.Add(1)
	stale := &errs.StaleError{Group: c.Name, Key: e.Key, Age: time.Duration(now - e.Care.Fresh)}
	if stale.Err = c.reasons.reason(e.Key); stale.Err == nil {
		stale.Err = &errs.LoadError{Group: c.Name, Key: e.Key, Member: c.Member, Err: errMadeRoom}
	}
	return stale
}

// fallBack returns what a failed load of a key ends in: the value that is still
// kept, with a *StaleError if its TTL has passed, else the error, of which m is remembered.
func (c *memory) fallBack(hash uint64, key string, m *memo, err error) (*store.Entry, error) {
	now := c.Clock.Now()
	e := c.Store.Peek(hash, key, now)
	if e == nil || e.Care == nil || e.Foreign || !c.cares() {
		if m != nil && !c.Life.IsClosing() {
			c.setbacks.note(key, m, c.Clock.Now())
		}
		return nil, err
	}
	wait := backoff(retryLoadMin, int(e.Care.Failures.Add(1)))
	c.reasons.explain(key, m)
	e.Care.Next.Store(now + int64(wait))
	if e.Care.Fresh == 0 || now < e.Care.Fresh {
		return e, nil
	}
	return e, c.staleError(e, now)
}
