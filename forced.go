package cachemesh

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Refresh loads keys again, at their owners, whether or not they have a value, with
// one call of LoadMany per owner if the group has it. When it returns nil, every Get
// that starts later, on any member, sees what a load that began after the call of
// Refresh brought, or something newer; a key that does not exist any more is
// forgotten. Until then everybody sees the value before it, and a load that fails
// leaves that in its place.
//
// While the members disagree about the owner or cannot reach it, it tries again
// until ctx ends, or Options.CallTimeout and LoadTimeout are over if ctx has no
// deadline. Its error is a KeyErrors of those keys that failed: *LoadError,
// ErrInvalidKey, ErrUnsettled, *PeerError, ctx's own. Or ErrClosed, ErrGroupClosed, ErrNotStarted;
// an *OptionError if the group has no loader.
func (g *Group[V]) Refresh(ctx context.Context, keys ...string) error {
	c := g.core
	if c.Origin.Load == nil {
		return errs.Option("load", nil, errors.New("the group has no loader: nothing can be loaded again"))
	}
	if _, ok := ctx.Deadline(); !ok {
		most := clock.Later(int64(c.Ways.CallTimeout), c.LoadTimeout)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(most))
		defer cancel()
	}
	if err := c.Open(); err != nil {
		return err
	}
	v, err := c.State.Current(ctx)
	if err != nil {
		return err
	}
	f := &route.Failures{}
	var all errgroup.Group
	all.SetLimit(route.BatchCalls)
	for o, mine := range c.Partition(v, keys, f) {
		for chunk := range wire.Chunks(mine) {
			all.Go(func() error { c.ReloadEach(ctx, c.ReloadManyAt(ctx, o, chunk, f), f); return nil })
		}
	}
	all.Wait()
	return f.Err()
}
