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

// An Item is what the owner of a key says of its value.
type Item struct {
	E     *store.Entry  // the value, if it was asked for, and its version
	Left  time.Duration // of its TTL; 0: it has none
	Age   time.Duration // since it was stored
	Size  int64         // bytes that it takes
	Owner string        // the member's name
}

// Item asks the owner of a key for its value, which is loaded if need be; with
// wire.FlagPeek only for what is in memory, with wire.FlagNoValue not for the value itself.
// Copies that this member holds are of no use here: they have no version. While the members
// disagree about the owner or cannot reach it, it tries again until ctx ends.
func (c *Router) Item(ctx context.Context, hash uint64, key string, flags uint8) (item Item, err error) {
	ctx, cancel := c.Ways.Bounded(ctx)
	defer cancel()
	look := itemLook{c, hash, key, flags}
	err = c.retry(ctx, func() (error, bool) {
		var err error
		item, err = look.try(ctx)
		return err, mayRetry(err, true)
	})
	return item, err
}

// An itemLook is one call of Item.
type itemLook struct {
	*Router
	hash  uint64
	key   string
	flags uint8
}

// try makes one attempt, following one hint to another owner.
func (c itemLook) try(ctx context.Context) (Item, error) {
	v, err := c.State.Current(ctx)
	if err != nil {
		return Item{}, err
	}
	o := v.Owner(c.hash)
	switch {
	case o == nil:
		return Item{}, errs.ErrClosed
	case o.Peer == nil:
		return c.here(ctx)
	}
	item, named, err := c.at(ctx, o)
	if errors.Is(err, errs.ErrNotOwner) && !errs.IsOutcome(err) {
		if hint := c.Ways.Hinted(named, o, nil); hint != nil {
			item, _, err = c.at(ctx, hint)
		}
	}
	return item, err
}

func (c itemLook) here(ctx context.Context) (Item, error) {
	e, err := c.ItemOf(ctx, c.hash, c.key, c.flags&wire.FlagPeek != 0)
	if e == nil {
		return Item{}, err
	}
	item := Item{E: e, Age: owner.AgeOf(e), Size: e.Size(), Owner: c.Member}
	if until := owner.FreshUntil(e); until > 0 {
		item.Left = max(time.Duration(until-c.Clock.Now()), 1)
	}
	return item, err
}

// at asks a peer. With errs.ErrNotOwner it also returns the address of the owner as
// that peer sees it.
func (c itemLook) at(ctx context.Context, o *view.Owner) (item Item, named string, err error) {
	k := wire.NewCall(wire.OpItem, c.Name, c.key)
	defer k.Free()
	k.Hash, k.Req.Flags, k.Req.Arg, k.Req.Idempotent = c.hash, c.flags, uint64(c.Encoding), true
	if c.flags&wire.FlagPeek == 0 {
		c.Ways.Carry(ctx, k)
	}
	a := ask{c.Router, o, k}
	if err := a.do(ctx); err != nil {
		return Item{}, k.Resp.Message, err
	}
	got, ok := wire.ParseItem(k.Resp.Value)
	if !ok {
		return Item{}, "", &errs.PeerError{Op: wire.OpNames[wire.OpItem], Member: o.Name, Addr: o.Addr, Err: errMalformed}
	}
	item = Item{E: &store.Entry{Key: c.key, Data: got.Value, Version: got.Version}, Left: k.Resp.TTL,
		Age: time.Duration(got.Age), Size: got.Size, Owner: o.Name}
	return item, "", a.stale()
}
