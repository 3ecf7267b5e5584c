package route

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// GetAt asks a peer for a key, and for a copy if this member reads the key
// often. With errs.ErrNotOwner it also returns the address of the owner as that peer
// sees it. The key must not alias a buffer. now is a time before the call: what
// it is granted counts from there.
func (c *Router) GetAt(ctx context.Context, o *view.Owner, hash uint64, key string, flags uint8, now int64) (got Outcome, named string) {
	k := wire.NewCall(wire.OpGet, c.Name, key)
	defer k.Free()
	a := ask{c, o, k}
	k.Hash, k.Req.Flags, k.Req.Idempotent = hash, flags, true
	k.Req.Arg = uint64(c.Encoding)
	again := flags&wire.FlagAgain != 0
	var cp copying
	if flags&(wire.FlagStandIn|wire.FlagPeek) == 0 {
		cp = a.begin(again || c.Hot.Touch(hash, now), again, now)
		defer cp.fetch.Drop()
	}
	if flags&(wire.FlagPeek|wire.FlagAgain) == 0 {
		c.Ways.Carry(ctx, k)
	}
	err := a.do(ctx)
	a.heed(&cp)
	if err == nil {
		if k.Resp.Flags&wire.FlagHit != 0 && flags&(wire.FlagAgain|wire.FlagPeek) == 0 {
			c.Stats.Of(hash).PeerHits.Add(1)
		}
		got = Outcome{Data: k.Resp.Value, Found: true, Err: a.stale()}
	} else if got, named = a.notGot(ctx, err); got.Err != errs.ErrNotFound {
		return got, named
	}
	if e := a.keep(&cp); e != nil && got.Found {
		got = Outcome{E: e, Err: got.Err} // what is decoded now, later hits need not decode
	}
	return got, ""
}

// notGot returns what GetAt makes of an error.
func (a ask) notGot(ctx context.Context, err error) (got Outcome, named string) {
	if errors.Is(err, errs.ErrNotFound) && !errs.IsOutcome(err) {
		if a.call.Resp.Flags&wire.FlagHit != 0 && a.call.Req.Flags&(wire.FlagAgain|wire.FlagPeek) == 0 {
			a.Stats.Of(a.call.Hash).PeerHits.Add(1)
			a.Stats.NegativeHits.Add(1)
		}
		return Outcome{Err: errs.ErrNotFound}, ""
	}
	if ctxErr := errs.Ended(ctx); ctxErr != nil {
		return Outcome{Err: ctxErr}, ""
	}
	if a.call.Resp.Status == wire.StatusOtherVersion && a.call.Req.Flags&wire.FlagAgain == 0 {
		a.NoteUnreadable(strings.Clone(a.call.Req.Key), err)
	}
	return Outcome{Err: err}, a.call.Resp.Message
}

// stale returns the *StaleError that came with a value, if any.
func (a ask) stale() error {
	if a.call.Resp.Flags&wire.FlagStale == 0 {
		return nil
	}
	key := strings.Clone(a.call.Req.Key)
	return &errs.StaleError{Group: a.Name, Key: key, Age: time.Duration(a.call.Resp.Version), Err: &errs.LoadError{
		Group: a.Name, Key: key, Member: a.to.Name, Panic: a.call.Resp.Flags&wire.FlagPanic != 0, Err: a.Errors.Cause(&a.call.Resp)}}
}
