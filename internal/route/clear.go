package route

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Clear clears the group on every member. All must act by one view that has
// settled, or values on their way to a new owner would be missed; until they do,
// and while a member cannot be reached, it tries again until ctx ends.
func (c *Router) Clear(ctx context.Context) error {
	ctx, cancel := c.Ways.Bounded(ctx)
	defer cancel()
	wait := RetryFloor
	for {
		err, again := c.clearOnce(ctx)
		if !again {
			if errors.Is(err, errs.ErrMinority) {
				c.OweAll()
			}
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

// clearOnce tells every member once. It reports whether it may help to try again.
func (c *Router) clearOnce(ctx context.Context) (err error, again bool) {
	v, err := c.State.Current(ctx)
	if err != nil {
		return err, false
	}
	errs := make([]error, len(v.Owners))
	var g errgroup.Group
	g.SetLimit(owner.ClearCalls)
	for i := range v.Owners {
		g.Go(func() error { errs[i] = c.clearAt(ctx, &v.Owners[i], v); return nil })
	}
	g.Wait()
	for _, err := range errs {
		if err == nil {
			continue
		}
		if !c.mayRetry(err, owner.Change{CacheOnly: true}) {
			return errors.Join(errs...), false
		}
		again = true
	}
	return errors.Join(errs...), again
}

func (c *Router) clearAt(ctx context.Context, o *view.Owner, v *view.View) error {
	if o.Peer == nil {
		if c.Origin.Load != nil && c.IsCut() {
			return nil // it holds nothing any more
		}
		return c.ClearHere(ctx, v.ID)
	}
	k := wire.NewCall(wire.OpClear, c.Name, "")
	defer k.Free()
	k.Req.View, k.Req.Idempotent = v.ID, true
	if err := c.do(ctx, o, k); !errors.Is(err, errs.ErrUnknownGroup) {
		return err
	}
	return nil // a member that does not know the group holds nothing of it
}
