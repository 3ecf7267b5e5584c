package owner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// errSlow is why an old value is served while its load goes on.
var errSlow = fmt.Errorf("it has not returned within StaleWait, and goes on: %w", context.DeadlineExceeded)

// await waits for a flight that the caller has joined. last is that of LastCall, and removals
// how many there were before: of a value that one of these removed, whoever came later hears
// errVoid.
func (c *gets) await(ctx context.Context, last <-chan struct{}, f *flight, removals uint64) (e *store.Entry, hit bool, err error) {
	var soft <-chan time.Time
	if t := c.softTimer(ctx, f); t != nil {
		defer t.Stop()
		soft = t.C
	}
	for {
		select {
		case <-f.done:
			if f.out.removal != 0 && f.out.removal <= removals {
				return nil, false, errVoid
			}
			return f.out.entry, f.out.hit, f.out.err
		default: // what is there counts, though ctx may have ended
		}
		select {
		case <-f.done:
			continue
		case <-soft:
			if e, err := c.contentWithOld(f); e != nil {
				return e, err == nil, err
			}
			soft = nil
		case <-last:
			if f.isQueued() && ctx.Err() != context.Canceled {
				c.leave(f)
				return nil, false, errors.Join(errs.ErrOverloaded, context.DeadlineExceeded)
			}
			last = nil
		case <-ctx.Done():
			c.leave(f)
			return nil, false, ctx.Err()
		case <-c.Life.Closing():
			return nil, false, errs.ErrClosed
		}
	}
}

// softTimer returns a timer that fires when whoever waits for a flight should be
// content with an old value: when the load has run for StaleWait, or shortly before
// the end of ctx. It returns nil if there is no old value.
func (c *gets) softTimer(ctx context.Context, f *flight) *time.Timer {
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
func (c *gets) contentWithOld(f *flight) (*store.Entry, error) {
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

// awaitForced waits for a forced flight. It returns what the loader said, nil for
// ErrNotFound, or errVoid.
func (c *gets) awaitForced(ctx context.Context, f *flight) error {
	last, cancel := c.Origin.LastCall(ctx)
	defer cancel()
	for {
		select {
		case <-f.done:
			err := f.out.err
			if f.out.failed != nil {
				err = f.out.failed
			}
			if guard.IsAbsence(err) {
				return nil
			}
			return err
		case <-last:
			if f.isQueued() && ctx.Err() != context.Canceled {
				c.leave(f)
				return errors.Join(errs.ErrOverloaded, context.DeadlineExceeded)
			}
			last = nil
		case <-ctx.Done():
			c.leave(f)
			return ctx.Err()
		case <-c.Life.Closing():
			return errs.ErrClosed
		}
	}
}
