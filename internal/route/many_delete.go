package route

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Partition sorts distinct valid keys by owner. Invalid ones become errors.
func (c *Router) Partition(v *view.View, keys []string, f *Failures) map[*view.Owner][]string {
	byOwner := make(map[*view.Owner][]string)
	seen := make(map[string]struct{}, len(keys))
	for _, key := range keys {
		if _, dup := seen[key]; dup {
			continue
		}
		seen[key] = struct{}{}
		if err := wire.CheckKey(key); err != nil {
			f.put(key, err)
			continue
		}
		o := v.Owner(ring.Hash(c.Seed, key))
		if o == nil {
			f.put(key, errs.ErrClosed)
			continue
		}
		byOwner[o] = append(byOwner[o], key)
	}
	return byOwner
}

// DeleteMany deletes keys with one call per owner, side by side. Whatever a
// call did not settle is deleted singly, with its retries.
func (c *Router) DeleteMany(ctx context.Context, keys []string) error {
	if err := c.Open(); err != nil {
		return err
	}
	v, err := c.State.Current(ctx)
	if err != nil {
		return err
	}
	f := &Failures{}
	d := deleting{c, f}
	var all errgroup.Group
	all.SetLimit(BatchCalls)
	for o, mine := range c.Partition(v, keys, f) {
		if o.Peer == nil {
			all.Go(func() error { d.each(ctx, mine); return nil })
			continue
		}
		for chunk := range wire.Chunks(mine) {
			all.Go(func() error { d.each(ctx, d.at(ctx, o, chunk)); return nil })
		}
	}
	all.Wait()
	return f.Err()
}

// A deleting is one call of DeleteMany.
type deleting struct {
	*Router
	failed *Failures
}

// each deletes keys singly, a bounded number at once.
func (c deleting) each(ctx context.Context, keys []string) {
	c.failed.each(keys, func(key string) error { return c.Change(ctx, ring.Hash(c.Seed, key), key, owner.Change{}) })
}

// at asks a peer to delete keys and returns those that must be tried
// singly. With a Writer, or copies, these are only keys that were certainly not deleted:
// deleted again, it could be what somebody wrote since.
func (c deleting) at(ctx context.Context, o *view.Owner, keys []string) (rest []string) {
	k := wire.NewCall(wire.OpDeleteMany, c.Name, "")
	defer k.Free()
	k.Req.Value, k.Req.Idempotent = wire.AppendKeys(nil, keys), !c.deletesOnce()
	a := ask{c.Router, o, k}
	if err := a.do(ctx); errors.Is(err, errs.ErrUnknownGroup) && !c.deletesOnce() {
		return nil // it holds nothing of the group
	} else if err != nil {
		if c.deletesOnce() && !mayRetry(err, false) {
			for _, key := range keys {
				c.failed.put(key, err)
			}
			return nil
		}
		return keys
	}
	answers := k.Resp.Value
	for _, key := range keys {
		got, others, ok := wire.NextAnswer(answers)
		answers = others
		if !ok {
			got = wire.Answer{Status: httppool.StatusInternal, Body: []byte("its answer is incomplete")}
		} else if got.Status == wire.StatusOK {
			continue
		}
		err := a.answer(wire.OpDelete, key, got)
		if !c.deletesOnce() || errs.IsUnsettled(err) {
			rest = append(rest, key)
		} else {
			c.failed.put(key, err)
		}
	}
	return rest
}
