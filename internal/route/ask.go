package route

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// do calls the peer and turns its answer into an error. Transport failures
// become *PeerError, except that an ended context is returned as itself where
// nothing can have been applied.
func (c *Router) do(ctx context.Context, o *view.Owner, k *wire.Call) error {
	c.countCall(k)
	return c.done(ctx, o, k, c.Ways.CallMember(ctx, o, &k.Req, &k.Resp))
}

func (c *Router) countCall(k *wire.Call) { c.Stats.Of(k.Hash).PeerCalls.Add(1) }

// done turns what a call came to into an error.
func (c *Router) done(ctx context.Context, o *view.Owner, k *wire.Call, err error) error {
	if err == nil {
		if k.Resp.Status < httppool.StatusReserved {
			c.heard(o.Name, k.Resp.Status)
		}
		if k.Resp.Status == wire.StatusOK {
			return nil
		}
		err = c.Errors.Of(o.Name, o.Addr, k.Req.Op, k.Req.Key, &k.Resp)
	} else {
		err = wire.TransportError(ctx, k.Req.Op, o.Name, o.Addr, err)
	}
	if _, ok := errors.AsType[*errs.PeerError](err); ok {
		c.Stats.PeerErrors.Add(1)
	}
	return err
}

// GetAt asks a peer for a key, and for a lease if this member reads the key
// often. With errs.ErrNotOwner it also returns the address of the owner as that peer
// sees it. The key must not alias a buffer. now is a time before the call: a
// lease counts from there.
func (c *Router) GetAt(ctx context.Context, o *view.Owner, hash uint64, key string, flags uint8, now int64) (got Outcome, named string) {
	k := wire.NewCall(wire.OpGet, c.Name, key)
	defer k.Free()
	k.Hash, k.Req.Flags, k.Req.Idempotent = hash, flags, true
	k.Req.Arg = uint64(c.Encoding)
	var fetch *hotcache.Fetch
	// A renewal asks for a lease in any case: hits are not counted, and one came in
	// the last quarter of the lease.
	if flags&(wire.FlagStandIn|wire.FlagPeek) == 0 && o.ID != "" && (flags&wire.FlagRenewal != 0 || c.Hot.Touch(hash, now)) {
		// Registered before it is sent: an invalidation that overtakes the answer
		// finds the fetch and marks it.
		fetch = c.Hot.Begin(hash, key, o.ID)
		defer fetch.Drop()
		// A view adopted before the fetch was registered has not marked it; one
		// that comes later does.
		if v := c.State.View(); v != nil && v.Self >= 0 && v.OwnerID(hash) == o.ID {
			k.Req.Flags |= wire.FlagLease
		}
	}
	if flags&(wire.FlagPeek|wire.FlagRenewal) == 0 {
		c.Ways.Carry(ctx, k)
	}
	err := c.do(ctx, o, k)
	if err == nil {
		if k.Resp.Flags&wire.FlagHit != 0 && flags&(wire.FlagRenewal|wire.FlagPeek) == 0 {
			c.Stats.Of(hash).PeerHits.Add(1)
		}
		got = Outcome{Data: k.Resp.Value, Found: true, Err: c.staleResponse(o, k)}
	} else if got, named = c.notGot(ctx, k, err); got.Err != errs.ErrNotFound {
		return got, named
	}
	if fetch != nil && k.Resp.Lease > 0 {
		if e := c.keep(fetch, k, now); got.Found {
			got = Outcome{E: e, Err: got.Err} // what is decoded now, later hits need not decode
		}
	}
	return got, ""
}

// notGot returns what GetAt makes of an error.
func (c *Router) notGot(ctx context.Context, k *wire.Call, err error) (got Outcome, named string) {
	if errors.Is(err, errs.ErrNotFound) && !errs.IsOutcome(err) {
		if k.Resp.Flags&wire.FlagHit != 0 && k.Req.Flags&(wire.FlagRenewal|wire.FlagPeek) == 0 {
			c.Stats.Of(k.Hash).PeerHits.Add(1)
			c.Stats.NegativeHits.Add(1)
		}
		return Outcome{Err: errs.ErrNotFound}, ""
	}
	if ctxErr := errs.Ended(ctx); ctxErr != nil {
		return Outcome{Err: ctxErr}, ""
	}
	if k.Resp.Status == wire.StatusOtherVersion && k.Req.Flags&wire.FlagRenewal == 0 {
		c.NoteUnreadable(strings.Clone(k.Req.Key), err)
	}
	return Outcome{Err: err}, k.Resp.Message
}

// keep makes a hot copy of an answer with a lease. Counted from when the request
// was sent, the lease and the value end here before they end at the owner, which
// counts from its answer.
func (c *Router) keep(fetch *hotcache.Fetch, k *wire.Call, sent int64) *store.Entry {
	key, negative := strings.Clone(k.Req.Key), k.Resp.Status == wire.StatusNotFound
	var e *store.Entry
	if c.LeasedEntry != nil && !negative {
		e = c.LeasedEntry(key, k.Resp.Value)
	} else {
		e = &store.Entry{Key: key, Data: k.Resp.Value, Negative: negative}
	}
	if k.Resp.TTL > 0 {
		e.Expires = clock.Later(sent, k.Resp.TTL)
	}
	fetch.Keep(e, clock.Later(sent, k.Resp.Lease), c.Clock.Now())
	return e
}

// staleResponse returns the *StaleError that came with a value, if any.
func (c *Router) staleResponse(o *view.Owner, k *wire.Call) error {
	if k.Resp.Flags&wire.FlagStale == 0 {
		return nil
	}
	key := strings.Clone(k.Req.Key)
	return &errs.StaleError{Group: c.Name, Key: key, Age: time.Duration(k.Resp.Version), Err: &errs.LoadError{
		Group: c.Name, Key: key, Member: o.Name, Panic: k.Resp.Flags&wire.FlagPanic != 0, Err: c.Errors.Cause(&k.Resp)}}
}

// renew asks for a key again whose lease ends soon, so that a hot key stays a
// local hit.
func (c *Router) renew(o *view.Owner, hash uint64, key string) {
	if o == nil {
		return // everybody is leaving
	}
	c.Life.Go(func() {
		ctx, cancel := context.WithTimeout(c.Life.Context(), c.Lease)
		defer cancel()
		c.GetAt(ctx, o, hash, key, wire.FlagRenewal, c.Clock.Now())
	})
}

// changeAt asks a peer to Set or Delete a key.
func (c *Router) changeAt(ctx context.Context, o *view.Owner, hash uint64, key string, ch owner.Change) (hint string, err error) {
	k := wire.NewCall(wire.OpDelete, c.Name, key)
	defer k.Free()
	k.Hash = hash
	k.Req.Idempotent = ch.E == nil && !c.WritesOrigin(ch)
	if ch.CacheOnly {
		k.Req.Flags = wire.FlagCacheOnly
	}
	if e := ch.E; e != nil {
		k.Req.Op, k.Req.Value, k.Req.Arg = wire.OpSet, e.Data, uint64(c.EncodingOf(e))
		if e.Expires != 0 {
			// The time that retries took is gone from the TTL. A value that lived too
			// short to arrive still removes the one before it.
			k.Req.TTL = max(time.Duration(e.Expires-c.Clock.Now()), 1)
		}
	}
	err = c.do(ctx, o, k)
	if errors.Is(err, errs.ErrUnknownGroup) && k.Req.Op == wire.OpDelete && c.Origin.Write == nil {
		return "", nil // a member that does not know the group holds nothing of it
	}
	return k.Resp.Message, err
}
