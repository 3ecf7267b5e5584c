package route

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
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
	one := changing{c, hash, key, ch}
	repeats := one.repeats()
	return retryChange(ctx, c, func() (error, bool) {
		err := one.try(ctx)
		return err, mayRetry(err, repeats)
	})
}

// A changing is one call of Change.
type changing struct {
	*Router
	hash uint64
	key  string
	ch   owner.Change
}

// try makes one attempt, following one hint to another owner.
func (c *changing) try(ctx context.Context) error {
	v, err := c.State.Current(ctx)
	if err != nil {
		return err
	}
	o := v.Owner(c.hash)
	switch {
	case o == nil:
		return errs.ErrClosed
	case o.Peer == nil:
		return c.Write(ctx, c.hash, c.key, c.ch)
	}
	named, err := c.at(ctx, o)
	if errors.Is(err, errs.ErrNotOwner) {
		if hint := c.Ways.Hinted(named, o, nil); hint != nil {
			_, err = c.at(ctx, hint)
		}
	}
	return err
}

// at asks a peer to Set or Delete a key, or to change it on a condition.
func (c *changing) at(ctx context.Context, o *view.Owner) (hint string, err error) {
	ch, k := c.ch, wire.NewCall(wire.OpDelete, c.Name, c.key)
	defer k.Free()
	k.Hash = c.hash
	k.Req.Idempotent = c.repeats()
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
	if ch.If != nil {
		k.Req.Op, k.Req.Value, k.Req.Arg = wire.OpUpdate, ch.If.Pack(k.Req.Value), uint64(c.Encoding)
		if ch.E == nil && ch.If.TTL != owner.Forever {
			k.Req.TTL = ch.If.TTL
		}
		if c.Origin.Load != nil {
			c.Ways.Carry(ctx, k)
		}
	}
	a := ask{c.Router, o, k}
	err = a.do(ctx)
	if ch.If != nil && err == nil {
		err = a.got(ch.If)
	}
	if errors.Is(err, errs.ErrUnknownGroup) && k.Req.Op == wire.OpDelete && !c.deletesOnce() {
		return "", nil // a member that does not know the group holds nothing of it
	}
	return k.Resp.Message, err
}

// repeats reports whether a change may be applied twice. A Set may not: it could undo
// somebody's later write. A Delete may, for a cache may forget; but not one that deletes a
// row, or what may not be forgotten, nor a change on a condition: the first try may have changed
// what the second finds. One that only looks may.
func (c *changing) repeats() bool {
	ch := c.ch
	if ch.If != nil {
		return ch.If.OnlyLooks()
	}
	return ch.E == nil && !c.WritesOrigin(ch) && c.Copies() == nil
}

// got notes what a peer answered to a change on a condition.
func (a ask) got(cond *owner.Conditional) error {
	v, ok := wire.ParseVerdict(a.call.Resp.Value)
	if !ok {
		return &errs.PeerError{Op: wire.OpNames[wire.OpUpdate], Member: a.to.Name, Addr: a.to.Addr, MaybeApplied: true, Err: errMalformed}
	}
	if cond.Got = (owner.Got{Met: v.Met, Version: v.Version}); v.Found {
		cond.Got.Entry = &store.Entry{Key: a.call.Req.Key, Data: v.Value, Version: v.Version}
	}
	return nil
}

var errMalformed = errors.New("malformed answer")
