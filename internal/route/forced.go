package route

import (
	"context"
	"errors"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// ReloadEach loads keys again one by one, a bounded number at once.
func (c *Router) ReloadEach(ctx context.Context, keys []string, f *Failures) {
	f.each(keys, func(key string) error { return c.reload(ctx, key) })
}

// reload loads a key again, and tries that until ctx ends.
func (c *Router) reload(ctx context.Context, key string) error {
	return c.retry(ctx, func() (error, bool) {
		v, err := c.State.Current(ctx)
		if err != nil {
			return err, false
		}
		o := v.Owner(ring.Hash(c.Seed, key))
		if o == nil {
			return errs.ErrClosed, false
		}
		once := &Failures{}
		if rest := c.ReloadManyAt(ctx, o, []string{key}, once); len(rest) > 0 {
			return errs.ErrUnsettled, true
		}
		err = once.errs[key]
		return err, mayRetry(err, true)
	})
}

// ReloadManyAt has keys loaded again by their owner, and returns those that must be
// tried again.
func (c *Router) ReloadManyAt(ctx context.Context, o *view.Owner, keys []string, f *Failures) (again []string) {
	settle := func(key string, err error) {
		if errs.IsUnsettled(err) {
			again = append(again, key)
		} else {
			f.put(key, err)
		}
	}
	if o.Peer == nil {
		for i, err := range c.ReloadHere(ctx, keys) {
			settle(keys[i], err)
		}
		return again
	}
	k := wire.NewCall(wire.OpRefresh, c.Name, "")
	defer k.Free()
	k.Req.Value, k.Req.Idempotent = wire.AppendKeys(nil, keys), true
	c.Ways.Carry(ctx, k)
	a := ask{c, o, k}
	if err := a.do(ctx); errors.Is(err, errs.ErrUnknownGroup) {
		return nil // it holds nothing of the group
	} else if err != nil {
		for _, key := range keys {
			if len(keys) > 1 && mayRetry(err, true) {
				again = append(again, key)
			} else {
				settle(key, err)
			}
		}
		return again
	}
	answers := k.Resp.Value
	for _, key := range keys {
		got, rest, ok := wire.NextAnswer(answers)
		answers = rest
		if !ok {
			again = append(again, key) // the answer grew too large
			continue
		}
		settle(key, a.answer(wire.OpRefresh, key, got))
	}
	return again
}
