package route

import (
	"context"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Lend returns what a key has, and until when, on this member's clock, its owner tells this
// member before that changes; 0: it does not. The owner may be this member itself, which then is a
// holder like any other. The key must not alias a buffer.
func (c *Router) Lend(ctx context.Context, hash uint64, key string) (got Outcome, until int64) {
	if err := c.Open(); err != nil {
		return Outcome{Err: err}, 0
	}
	v, err := c.State.Current(ctx)
	if err != nil {
		return Outcome{Err: err}, 0
	}
	switch o := v.Owner(hash); {
	case o == nil:
		return Outcome{Err: errs.ErrClosed}, 0
	case o.Peer == nil:
		return c.lendHere(ctx, hash, key)
	default:
		now := c.Clock.Now()
		e, until := c.Hot.GetUntil(hash, key, now)
		if e != nil && until-now <= int64(c.Lease)/2 { // one call renews all that is lent of this owner's
			c.renewNow(ctx, o)
			e, until = c.Hot.GetUntil(hash, key, now)
		}
		if e != nil && until-now > int64(c.Lease)/2 {
			c.Stats.Of(hash).Hot.Add(1)
			return OutcomeOf(e, nil), until
		}
		// So it asks for a copy though the key may not be read often, and for a renewal.
		got, _ = c.GetAt(ctx, o, hash, key, wire.FlagAgain, now)
	}
	if e, until := c.Hot.GetUntil(hash, key, c.Clock.Now()); e != nil {
		return OutcomeOf(e, nil), until
	}
	if got.Err != nil && !errs.IsOutcome(got.Err) {
		got = c.Get(ctx, hash, key, c.Clock.Now())
	}
	return got, 0
}

func (c *Router) lendHere(ctx context.Context, hash uint64, key string) (got Outcome, until int64) {
	for try := range 2 {
		era, now := c.State.Era(), c.Clock.Now()
		_, term := c.Sessions.Renew(session.Peer{ID: c.Ways.ID}, era, now, c.State.Confirmed())
		e, number := c.Grant(hash, key, c.Ways.ID, c.Encoding, now)
		switch {
		case e != nil && number != 0 && term > 0:
			c.Stats.Of(hash).Own.Add(1)
			until = now + term
			if end := owner.FreshUntil(e); end != 0 {
				until = min(until, end)
			}
			return OutcomeOf(e, nil), until
		case try > 0:
			return got, 0
		}
		if got = c.Get(ctx, hash, key, now); got.Err != nil {
			return got, 0
		}
	}
	return got, 0
}
