package route

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// An everyone is all members, as who has something to tell each of them.
type everyone struct {
	*Router
	changes bool // what they are told changes something
}

// tell calls at for every member of one settled view, side by side, and again until all have
// done it.
func (c everyone) tell(ctx context.Context, at func(context.Context, *view.Owner, *view.View) error) error {
	return c.untilDone(ctx, func(ctx context.Context, v *view.View) (error, bool) { return tellOnce(ctx, v, at) })
}

// untilDone makes attempts by the view that there is, until one needs no other or ctx ends.
func (c everyone) untilDone(ctx context.Context, attempt func(context.Context, *view.View) (error, bool)) error {
	ctx, cancel := c.Ways.Bounded(ctx)
	defer cancel()
	one := func() (error, bool) {
		v, err := c.State.Current(ctx)
		if err != nil {
			return err, false
		}
		err, again := attempt(ctx, v)
		if !again && errors.Is(err, errs.ErrMinority) {
			c.OweAll()
		}
		return err, again
	}
	if c.changes {
		return retryChange(ctx, c.Router, one)
	}
	return c.retry(ctx, one)
}

// tellOnce tells every member once. It reports whether it may help to try again.
func tellOnce(ctx context.Context, v *view.View, at func(context.Context, *view.Owner, *view.View) error) (err error, again bool) {
	errs := make([]error, len(v.Owners))
	var g errgroup.Group
	g.SetLimit(owner.ClearCalls)
	for i := range v.Owners {
		g.Go(func() error { errs[i] = at(ctx, &v.Owners[i], v); return nil })
	}
	g.Wait()
	for _, err := range errs {
		if err == nil {
			continue
		}
		if !mayRetry(err, true) {
			return errors.Join(errs...), false
		}
		again = true
	}
	return errors.Join(errs...), again
}
