package route

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/view"
)

const (
	RetryFloor   = 5 * time.Millisecond
	RetryCeiling = 100 * time.Millisecond
)

// Change carries out a Set, or a Delete, at the owner of the key.
// While the members disagree about the owner or cannot reach it, it tries again
// until ctx ends.
func (c *Router) Change(ctx context.Context, hash uint64, key string, ch owner.Change) error {
	if v := c.State.View(); v != nil && v.Standing(hash) == view.OwnsIt {
		// The common case at the owner needs no deadline: nothing waits.
		if done, err := c.WriteNow(hash, key, ch); done && !errs.IsUnsettled(err) {
			return err
		}
	}
	ctx, cancel := c.Ways.Bounded(ctx)
	defer cancel()
	wait := RetryFloor
	for {
		err := c.tryChange(ctx, hash, key, ch)
		if !c.mayRetry(err, ch) {
			return err
		}
		c.Stats.Retries.Add(1)
		if cause := c.Life.Pause(ctx, wait); cause != nil {
			if errs.IsUnsettled(err) {
				return errs.Unsettled(cause)
			}
			return err
		}
		wait = min(2*wait, RetryCeiling)
	}
}

// tryChange makes one attempt, following one hint to another owner.
func (c *Router) tryChange(ctx context.Context, hash uint64, key string, ch owner.Change) error {
	v, err := c.State.Current(ctx)
	if err != nil {
		return err
	}
	o := v.Owner(hash)
	switch {
	case o == nil:
		return errs.ErrClosed
	case o.Peer == nil:
		return c.Write(ctx, hash, key, ch)
	}
	named, err := c.changeAt(ctx, o, hash, key, ch)
	if errors.Is(err, errs.ErrNotOwner) {
		if hint := c.Ways.Hinted(named, o, nil); hint != nil {
			_, err = c.changeAt(ctx, hint, hash, key, ch)
		}
	}
	return err
}

// mayRetry reports whether an attempt that failed may be made again. A Set that
// may have been applied is not repeated: applied twice it could undo somebody's
// later write. A Delete may, for a cache may forget; but not one that deletes a
// row.
func (c *Router) mayRetry(err error, ch owner.Change) bool {
	if errs.IsUnsettled(err) {
		return true
	}
	pe, ok := errors.AsType[*errs.PeerError](err)
	if !ok || errs.IsOutcome(err) || errors.Is(err, errs.ErrClosed) || !errs.IsUnreachable(err) && !errors.Is(err, errs.ErrOverloaded) {
		return false
	}
	return !pe.MaybeApplied || ch.E == nil && !c.WritesOrigin(ch)
}
