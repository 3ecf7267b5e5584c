package route

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

const (
	RetryFloor   = 5 * time.Millisecond
	RetryCeiling = 100 * time.Millisecond
)

// retry makes attempts, with growing pauses, until one says that it was the last, or ctx ends.
func (c *Router) retry(ctx context.Context, attempt func() (err error, again bool)) error {
	for wait := RetryFloor; ; wait = min(2*wait, RetryCeiling) {
		err, again := attempt()
		if !again {
			return err
		}
		c.Stats.Retries.Add(1)
		if cause := c.Life.Pause(ctx, wait); cause != nil {
			if errs.IsUnsettled(err) {
				return errs.Unsettled(cause)
			}
			return err
		}
	}
}

// retryChange is retry of what changes something, and may be repeated where that may have been done already: if it fails
// in the end, an earlier attempt that may have been applied says so.
func retryChange(ctx context.Context, c *Router, attempt func() (err error, again bool)) error {
	var maybe error
	err := c.retry(ctx, func() (error, bool) {
		err, again := attempt()
		if mayBeApplied(err) {
			maybe = err
		}
		return err, again
	})
	switch {
	case err == nil || maybe == nil || mayBeApplied(err):
		return err
	case errs.IsUnsettled(err): // that is of the last attempt, and says that nothing was applied
		return errors.Join(maybe, errs.Ended(ctx))
	}
	return errors.Join(maybe, err)
}

// mayBeApplied reports whether one of the errors that are joined in err is of a change that may be applied.
func mayBeApplied(err error) bool {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(all.Unwrap(), mayBeApplied)
	}
	pe, ok := errors.AsType[*errs.PeerError](err)
	return ok && pe.MaybeApplied
}

// deletesOnce reports whether a Delete must not be applied twice.
func (c *Router) deletesOnce() bool { return c.Origin.Write != nil || c.Copies() != nil }

// mayRetry reports whether an attempt that failed may be made again: one that may have been
// applied only if it repeats. Then one whose copies may be there is made again too: the members changed meanwhile.
func mayRetry(err error, repeats bool) bool {
	if errs.IsUnsettled(err) {
		return true
	}
	pe, ok := errors.AsType[*errs.PeerError](err)
	switch {
	case !ok || errs.IsOutcome(err) || errors.Is(err, errs.ErrClosed):
		return false
	case pe.MaybeApplied && errors.Is(err, errs.ErrFewCopies):
		return repeats
	case !errs.IsUnreachable(err) && !errors.Is(err, errs.ErrOverloaded):
		return false
	}
	return !pe.MaybeApplied || repeats
}
