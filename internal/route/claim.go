package route

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Claimed is what a bid for a claim came to: the claim, or what a Get would find, or neither,
// for another has it.
type Claimed struct {
	Outcome               // if the claim was won an old value, if the key has one
	Age     time.Duration // of that, since the end of its TTL
	Busy    bool
	Won     *Won
}

// A Bidding asks for one claim.
type Bidding struct {
	*Router
	Hash uint64
	Key  string // does not alias a buffer
	Bid  wire.Bid
}

// Ask asks the owner of the key whether this member may load it. Every call does: who joined a
// load that runs here would get what it read before a Delete that came in between. Where
// nobody can say so, because the members do not agree or the owner is out of reach, the
// claim that is won is for its caller's eyes alone.
func (c *Bidding) Ask(ctx context.Context) Claimed {
	if err := c.Open(); err != nil {
		return failed(err)
	}
	c.Stats.Of(c.Hash).Slow.Add(1)
	c.Bid.From, c.Bid.Cache = c.Ways.ID, c.Cache
	var hint *view.Owner
	for try := 0; try < routeTries; try++ {
		v, err := c.State.Current(ctx)
		if err != nil {
			return failed(err)
		}
		o := v.Owner(c.Hash)
		var got Claimed
		var named string
		switch {
		case o == nil:
			return failed(errs.ErrClosed)
		case hint != nil:
			got, named = c.noted(ctx, hint)
		default:
			got, named = c.noted(ctx, o)
		}
		switch err := got.Err; {
		case err == nil, errs.IsOutcome(err), errors.Is(err, errs.ErrNotFound), errors.Is(err, errs.ErrNotCache):
			return got
		case errors.Is(err, errs.ErrNotOwner) && named != c.Addr:
			hint = c.Ways.Hinted(named, o, hint)
		case errs.IsUnreachable(err) && (hint != nil || c.State.View() != v):
			hint = nil // it left while it was being asked
		case errs.IsUnsettled(err), errs.IsUnreachable(err), errs.IsRefusal(err), errors.Is(err, errs.ErrTooLarge):
			return c.alone(errs.IsUnreachable(err))
		default:
			return got
		}
		c.Stats.Retries.Add(1)
	}
	return c.alone(false)
}

func failed(err error) Claimed { return Claimed{Outcome: Outcome{Err: err}} }

// alone wins a claim that nobody else hears of, in place of an owner that cannot be reached
// or not.
func (c *Bidding) alone(standIn bool) Claimed {
	return Claimed{Won: &Won{Router: c.Router, hash: c.Hash, key: c.Key, StandIn: standIn}}
}

// noted asks a member, by a number that is noted here as long as it may have given the claim.
func (c *Bidding) noted(ctx context.Context, o *view.Owner) (got Claimed, named string) {
	id, err := c.Noted.begin(c.Clock.Now())
	if err != nil {
		return failed(err), ""
	}
	c.Bid.ID = id
	if o.Peer == nil {
		got = c.here(ctx)
	} else {
		got, named = c.at(ctx, o)
	}
	if got.Won == nil {
		c.Noted.end(id)
		return got, named
	}
	hold := c.Bid.Hold
	if hold <= 0 {
		hold = c.LoadTimeout
	}
	c.Noted.hold(id, clock.Later(c.Clock.Now(), min(hold, owner.MaxHold)))
	return got, named
}

// here asks this member, which owns the key.
func (c *Bidding) here(ctx context.Context) Claimed {
	got, err := c.Part.Claim(ctx, c.Hash, c.Key, c.Bid)
	if err != nil {
		return failed(err)
	}
	if got.Hit {
		c.Stats.LateHits.Add(1)
	}
	claimed := Claimed{Outcome: OutcomeOf(got.Entry, got.Err), Busy: got.Busy}
	if got.Won {
		claimed.Won = &Won{Router: c.Router, hash: c.Hash, key: c.Key, token: got.Token, here: true}
		if e := got.Entry; e != nil {
			claimed.Age = time.Duration(c.Clock.Now() - owner.FreshUntil(e))
		}
	}
	return claimed
}

// at asks a peer. With errs.ErrNotOwner it also returns the address of the owner as that peer
// sees it.
func (c *Bidding) at(ctx context.Context, o *view.Owner) (got Claimed, named string) {
	now := c.Clock.Now()
	k := wire.NewCall(wire.OpClaim, c.Name, c.Key)
	defer k.Free()
	a := ask{c.Router, o, k}
	k.Hash, k.Req.Value, k.Req.Arg, k.Req.Idempotent = c.Hash, c.Bid.Pack(), uint64(c.Encoding), true
	cp := a.begin(c.Hot.Touch(c.Hash, now), false, now)
	defer cp.fetch.Drop()
	c.Stats.countCall(k)
	err := c.Ways.CallMember(ctx, o, &k.Req, &k.Resp)
	if err == nil {
		a.heed(&cp)
	}
	if err == nil && (k.Resp.Status == wire.StatusWon || k.Resp.Status == wire.StatusBusy) {
		return a.granted(ctx), ""
	}
	if err = a.done(ctx, err); err == nil {
		got.Outcome = Outcome{Data: k.Resp.Value, Found: true, Err: a.stale()}
		if k.Resp.Flags&wire.FlagHit != 0 {
			c.Stats.Of(c.Hash).PeerHits.Add(1)
		}
	} else if got.Outcome, named = a.notGot(ctx, err); got.Err != errs.ErrNotFound {
		return got, named
	}
	if e := a.keep(&cp); e != nil && got.Found {
		got.Outcome = Outcome{E: e, Err: got.Err}
	}
	return got, ""
}

// granted returns what a peer gave: the claim, or word that another has it.
func (a ask) granted(ctx context.Context) Claimed {
	a.heard(a.to.Name, true)
	if a.call.Resp.Status == wire.StatusBusy {
		return Claimed{Busy: true}
	}
	g, ok := wire.ParseGrant(a.call.Resp.Value)
	if !ok {
		return failed(&errs.PeerError{Op: wire.OpNames[wire.OpClaim], Member: a.to.Name, Addr: a.to.Addr, Err: errMalformed})
	}
	got := Claimed{Won: &Won{Router: a.Router, hash: a.call.Hash, key: a.call.Req.Key, token: g.Token, owner: a.to}, Age: g.Age}
	if g.Old {
		got.Outcome = Outcome{Data: g.Value, Found: true}
	}
	return got
}

// Won is a claim. Its methods are called concurrently; of those that end it one does.
type Won struct {
	*Router
	StandIn bool // nobody hears of it, for the owner cannot be reached

	hash  uint64
	key   string
	token wire.Token
	here  bool        // this member granted it
	owner *view.Owner // else who did; nil: nobody
}

// IsAlone reports whether nobody hears of the claim.
func (w *Won) IsAlone() bool { return !w.here && w.owner == nil }

// Fill stores a value, and ends the claim: see owner.Part.FillClaim.
func (w *Won) Fill(ctx context.Context, e *store.Entry) error {
	if w.here || w.IsAlone() {
		return w.finish(e, nil)
	}
	fill, ttl := wire.Fill{Token: w.token, Rest: e.Data}, time.Duration(0)
	switch {
	case len(e.Data) > w.AnswerLimit-fillRoom:
		fill.What, fill.Rest = wire.FillTooLarge, nil
	case e.Expires == owner.DoNotStore:
		fill.What = wire.FillOnce
	case e.Expires != 0:
		ttl = max(time.Duration(e.Expires-w.Clock.Now()), 1)
	}
	return w.send(ctx, &fill, ttl)
}

// Fail ends the claim: err is ErrNotFound, wrapped or not, or a *LoadError of this member.
func (w *Won) Fail(ctx context.Context, err error) error {
	if w.here || w.IsAlone() {
		return w.finish(nil, err)
	}
	fill := wire.Fill{Token: w.token, What: wire.FillNotFound}
	if le, ok := errors.AsType[*errs.LoadError](err); ok {
		flags, message := w.Errors.PackCause(le)
		fill.What, fill.Flags, fill.Rest = wire.FillFailed, flags, []byte(message)
	}
	return w.send(ctx, &fill, 0)
}

// finish is Fill and Fail of a claim that was granted here.
func (w *Won) finish(e *store.Entry, err error) error {
	if w.IsAlone() {
		return errs.ErrClaimVoid
	}
	defer w.Noted.end(w.token.ID)
	_, err = w.Part.FillClaim(w.hash, w.key, w.token, e, err)
	return err
}

// Extend lets the claim stand for d from now on.
func (w *Won) Extend(ctx context.Context, d time.Duration) (err error) {
	switch {
	case w.IsAlone():
		return nil
	case w.here:
		err = w.Part.ExtendClaim(w.hash, w.key, w.token, d)
	default:
		err = w.send(ctx, &wire.Fill{Token: w.token, What: wire.FillExtend}, d)
	}
	if err == nil || errors.Is(err, errs.ErrClaimVoid) {
		if d <= 0 {
			d = w.LoadTimeout
		}
		w.Noted.hold(w.token.ID, clock.Later(w.Clock.Now(), min(d, owner.MaxHold)))
	}
	return err
}

// Release gives the claim back: who waits for it has it.
func (w *Won) Release(ctx context.Context) {
	switch {
	case w.IsAlone():
	case w.here:
		w.Noted.end(w.token.ID)
		w.Part.ReleaseClaim(w.hash, w.key, w.token)
	default:
		// Whether or not it arrives: it is noted no longer.
		w.send(ctx, &wire.Fill{Token: w.token, What: wire.FillRelease}, 0)
	}
}

// fillRoom is what a Fill takes besides the value.
const fillRoom = 64

// send tells the owner that granted the claim. It is not repeated: the second would come too
// late.
func (w *Won) send(ctx context.Context, f *wire.Fill, ttl time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.Life.Context(), cancel)()
	ctx, end := w.Ways.Bounded(ctx)
	defer end()
	if f.What != wire.FillExtend {
		defer w.Noted.end(f.Token.ID)
	}
	k := wire.NewCall(wire.OpFill, w.Name, w.key)
	defer k.Free()
	k.Hash, k.Req.Value, k.Req.TTL, k.Req.Arg = w.hash, f.Pack(), ttl, uint64(w.Encoding)
	return ask{w.Router, w.owner, k}.do(ctx)
}
