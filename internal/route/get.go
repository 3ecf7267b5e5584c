package route

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Get returns what a key has that was no hit here at the time now.
func (c *Router) Get(ctx context.Context, hash uint64, key string, now int64) Outcome {
	if err := c.Open(); err != nil {
		return Outcome{Err: err}
	}
	c.Stats.Of(hash).Slow.Add(1)
	return c.GetSlow(ctx, hash, key, now)
}

// settlePause is between two looks whether the members agree.
const settlePause = 10 * time.Millisecond

// routeTries bounds how often one call chases an owner that moves.
const routeTries = 3

// GetSlow answers a Get that was no hit here at the time now. If nobody could load
// the value it waits for the members to agree on the owner: the value may be on its
// way there, and better late than not found. An owner that cannot be reached is most
// likely on its way out, and another will have its values: that is waited for too,
// but not long.
func (c *Router) GetSlow(ctx context.Context, hash uint64, key string, now int64) Outcome {
	got := c.getRouted(ctx, hash, key, now)
	if got.Err == nil || c.Origin.Load != nil || !errs.IsUnsettled(got.Err) && !errs.IsUnreachable(got.Err) {
		return got
	}
	ctx, cancel := c.Ways.Bounded(ctx)
	defer cancel()
	patience := c.Clock.Now() + int64(reach.Silence)
	for errs.IsUnsettled(got.Err) || errs.IsUnreachable(got.Err) && c.Clock.Now() < patience {
		last := got.Err
		if got.Err = c.Life.Pause(ctx, settlePause); got.Err == nil {
			got = c.getRouted(ctx, hash, key, c.Clock.Now())
		}
		if over := errs.Ended(ctx); got.Err != nil && over != nil {
			if errs.IsUnreachable(last) {
				return Outcome{Err: last}
			}
			return Outcome{Err: errs.Unsettled(over)}
		}
	}
	return got
}

// getRouted gets a key by a load if this node owns it, else by asking the owner.
// If the members disagree about the owner it asks whom the peer names, once, and
// then loads without storing, or returns ErrUnsettled if there is no loader.
func (c *Router) getRouted(ctx context.Context, hash uint64, key string, now int64) Outcome {
	var hint *view.Owner
	for try := 0; try < routeTries; now = c.Clock.Now() {
		v, err := c.State.Current(ctx)
		if err != nil {
			return Outcome{Err: err}
		}
		o := v.Owner(hash)
		if o == nil {
			return Outcome{Err: errs.ErrClosed}
		}
		var got Outcome
		var named string
		if o = cmp.Or(hint, o); o.Peer == nil {
			got = c.loadHere(ctx, hash, key)
		} else {
			got, named = c.GetAt(ctx, o, hash, key, 0, now)
		}
		switch err := got.Err; {
		case err == nil, errs.IsOutcome(err): // whatever a loader says is an answer
			return got
		case errors.Is(err, errs.ErrNotOwner):
			c.Stats.Retries.Add(1)
			if named == c.Addr && c.Origin.Load != nil {
				return OutcomeOf(c.LoadUnstored(ctx, hash, key, false)) // it is this node, which has not heard yet
			}
			hint = c.Ways.Hinted(named, o, hint)
			try++
		case errors.Is(err, errs.ErrUnsettled), errors.Is(err, errs.ErrUnknownGroup):
			if c.Origin.Load == nil {
				return Outcome{Err: err}
			}
			return OutcomeOf(c.LoadUnstored(ctx, hash, key, false))
		case errs.IsUnreachable(err) && (hint != nil || c.State.View() != v):
			// It left while it was being asked.
			c.Stats.Retries.Add(1)
			hint = nil
			try++
		case errs.IsUnreachable(err):
			return c.getFromStandIn(ctx, v, hash, key, err)
		case errs.IsRefusal(err) && c.Origin.Load != nil:
			return OutcomeOf(c.LoadUnstored(ctx, hash, key, false))
		case errors.Is(err, errs.ErrOtherVersion):
			return Outcome{Err: errs.ErrNotFound} // what is there is nothing to this member
		default:
			return got
		}
	}
	if c.Origin.Load == nil {
		return Outcome{Err: errs.ErrUnsettled}
	}
	return OutcomeOf(c.LoadUnstored(ctx, hash, key, false))
}

// loadHere is Part.Load for a Get on this member.
func (c *Router) loadHere(ctx context.Context, hash uint64, key string) Outcome {
	if e := c.Store.Peek(hash, key, c.Clock.Now()); e != nil && e.Foreign {
		c.NoteUnreadable(key, errs.ErrForeign)
	}
	e, hit, err := c.Load(ctx, hash, key)
	if hit {
		c.Stats.LateHits.Add(1)
		if e.Negative {
			c.Stats.NegativeHits.Add(1)
		}
	}
	return OutcomeOf(e, err)
}

// standIns bounds how many ring successors are asked in place of an owner.
const standIns = 2

// getFromStandIn asks the ring successors of an owner that cannot be reached, not
// through others either, so that the origin sees one load and not one per member. The
// owner may be alive and take writes that a stand-in never hears of, so nothing is kept.
func (c *Router) getFromStandIn(ctx context.Context, v *view.View, hash uint64, key string, cause error) Outcome {
	if c.Origin.Load == nil {
		return Outcome{Err: cause}
	}
	var buf [standIns + 1]int
	for _, i := range v.Ring.Successors(buf[:0], hash, len(buf))[1:] {
		o := &v.Owners[i]
		if o.Peer == nil {
			break
		}
		if !c.Ways.Lives(ctx, o) {
			continue
		}
		got, _ := c.GetAt(ctx, o, hash, key, wire.FlagStandIn, c.Clock.Now())
		// One that is of another side, or settles itself, is no stand-in.
		if err := got.Err; errs.IsOutcome(err) || !errs.IsUnreachable(err) && !errs.IsRefusal(err) && !errs.IsUnsettled(err) {
			return got
		}
	}
	return OutcomeOf(c.LoadUnstored(ctx, hash, key, true))
}
