package route

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Clear clears the group on every member. All must act by one view that has
// settled, or values on their way to a new owner would be missed; until they do,
// and while a member cannot be reached, it tries again until ctx ends.
func (c *Router) Clear(ctx context.Context) error {
	cl := clearing{everyone: everyone{c, true}}
	if c.Copies() == nil {
		return cl.tell(ctx, cl.at)
	}
	cl.name = c.Ways.ID + "/" + strconv.FormatUint(c.Clock.NextVersion(), 16)
	return cl.untilDone(ctx, func(ctx context.Context, v *view.View) (error, bool) {
		err := cl.attempt(ctx, v)
		return err, err != nil && mayRetry(err, true)
	})
}

// A clearing is one call of Clear. In a group with copies it has the three rounds of
// owner.ClearRound: it has a version above all that anybody saw, which everybody notes before
// anybody forgets anything. An attempt that follows another has its version, or it would clear
// what was written after that.
type clearing struct {
	everyone
	name    string // of its own
	version store.Version
}

// at clears the group at one member, where there are no copies.
func (c *clearing) at(ctx context.Context, o *view.Owner, v *view.View) error {
	if o.Peer == nil {
		if c.Origin.Load != nil && c.IsCut() {
			return nil // it holds nothing any more
		}
		return c.ClearHere(ctx, v.ID)
	}
	k := wire.NewCall(wire.OpClear, c.Name, "")
	defer k.Free()
	k.Req.View, k.Req.Idempotent = v.ID, true
	if err := (ask{c.Router, o, k}).do(ctx); !errors.Is(err, errs.ErrUnknownGroup) {
		return err
	}
	return nil // a member that does not know the group holds nothing of it
}

// attempt makes one attempt, by a view.
func (c *clearing) attempt(ctx context.Context, v *view.View) error {
	if c.version == (store.Version{}) {
		greatest, err := c.round(ctx, v, owner.ClearAsk)
		if err != nil {
			return err
		}
		c.version = greatest
	}
	if _, err := c.round(ctx, v, owner.ClearNote); err != nil {
		return err
	}
	_, err := c.round(ctx, v, owner.ClearDo)
	return err
}

// round has every member of a view, those that are leaving included, take part in a round.
// It returns the greatest of their versions.
func (c *clearing) round(ctx context.Context, v *view.View, round owner.ClearRound) (greatest store.Version, err error) {
	var mu sync.Mutex // guards greatest and failed
	var failed []error
	note := func(said store.Version, err error) {
		mu.Lock()
		defer mu.Unlock()
		if said.After(greatest) {
			greatest = said
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	var g errgroup.Group
	g.SetLimit(owner.ClearCalls)
	g.Go(func() error { note(c.ClearCopies(ctx, v.ID, c.name, round, c.version)); return nil })
	for _, o := range v.Peers {
		g.Go(func() error { note(c.roundAt(ctx, o, v, round)); return nil })
	}
	g.Wait()
	return greatest, errors.Join(failed...)
}

func (c *clearing) roundAt(ctx context.Context, o *view.Owner, v *view.View, round owner.ClearRound) (said store.Version, err error) {
	k := wire.NewCall(wire.OpClearing, c.Name, c.name)
	defer k.Free()
	k.Req.View, k.Req.Idempotent = v.ID, true
	k.Req.Value = wire.AppendVersion([]byte{byte(round)}, c.version)
	if err := (ask{c.Router, o, k}).do(ctx); err != nil {
		if errors.Is(err, errs.ErrUnknownGroup) {
			return c.version, nil // it holds nothing of it
		}
		return c.version, err
	}
	said, _, ok := wire.CutVersion(k.Resp.Value)
	if !ok {
		return said, &errs.PeerError{Op: wire.OpNames[wire.OpClear], Member: o.Name, Addr: o.Addr, MaybeApplied: true, Err: errMalformed}
	}
	return said, nil
}
