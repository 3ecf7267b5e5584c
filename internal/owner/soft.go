package owner

import (
	"context"
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// errSlow is why an old value is served while its load goes on.
var errSlow = fmt.Errorf("it has not returned within StaleWait, and goes on: %w", context.DeadlineExceeded)

// softTimer returns a timer that fires when whoever waits for a flight should be
// content with an old value: when the load has run for StaleWait, or shortly before
// the end of ctx. It returns nil if there is no old value.
func (c *Part) softTimer(ctx context.Context, f *flight) *time.Timer {
	if c.StaleFor == 0 {
		return nil
	}
	now := c.Clock.Now()
	if e := c.Store.Peek(f.hash, f.key, now); e == nil || e.Care == nil {
		return nil
	}
	left := c.StaleWait
	f.shard.mu.Lock()
	if f.state != flightWaits {
		left -= time.Duration(now - f.began)
	}
	f.shard.mu.Unlock()
	if deadline, ok := ctx.Deadline(); ok {
		until := time.Until(deadline)
		left = min(left, until-origin.Margin(until))
	}
	return time.NewTimer(max(left, 0))
}

// contentWithOld returns what the key of a flight has by now, for one who has waited
// for long enough and leaves; nil if there is nothing. The load goes on.
func (c *Part) contentWithOld(f *flight) (*store.Entry, error) {
	s := f.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || c.State.MayServe(f.hash, c.Clock.Now()) != nil {
		return nil, nil
	}
	now := c.Clock.Now()
	e := c.Store.Peek(f.hash, f.key, now)
	if e == nil {
		return nil, nil
	}
	f.goesOn = true
	c.leaveLocked(f)
	if until := FreshUntil(e); until == 0 || now < until {
		return e, nil // it was Set meanwhile
	}
	c.Counts.StaleServed.Add(1)
	return e, &errs.StaleError{Group: c.Name, Key: e.Key, Age: time.Duration(now - e.Care.Fresh), Err: c.Origin.LoadError(e.Key, errSlow)}
}
