package route

import (
	"context"
	"errors"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
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
	for wait := RetryFloor; ; wait = min(2*wait, RetryCeiling) {
		v, err := c.State.Current(ctx)
		if err != nil {
			return err
		}
		o := v.Owner(ring.Hash(c.Seed, key))
		if o == nil {
			return errs.ErrClosed
		}
		once := &Failures{}
		if rest := c.ReloadManyAt(ctx, o, []string{key}, once); len(rest) > 0 {
			err = errs.ErrUnsettled
		} else {
			err = once.errs[key]
		}
		if err == nil || !c.mayRetry(err, owner.Change{CacheOnly: true}) {
			return err
		}
		c.Stats.Retries.Add(1)
		if cause := c.Life.Pause(ctx, wait); cause != nil {
			if errs.IsUnsettled(err) {
				return errs.Unsettled(cause)
			}
			return err
		}
	}
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
	if err := c.do(ctx, o, k); errors.Is(err, errs.ErrUnknownGroup) {
		return nil // it holds nothing of the group
	} else if err != nil {
		for _, key := range keys {
			if len(keys) > 1 && c.mayRetry(err, owner.Change{CacheOnly: true}) {
				again = append(again, key)
			} else {
				settle(key, err)
			}
		}
		return again
	}
	answers := k.Resp.Value
	for _, key := range keys {
		one := wire.Call{Req: httppool.Request{Op: wire.OpRefresh, Key: key}}
		a, rest, ok := wire.NextAnswer(answers)
		answers = rest
		if !ok {
			again = append(again, key) // the answer grew too large
			continue
		}
		one.Resp.Status, one.Resp.Flags, one.Resp.Message = a.Status, a.Flags, string(a.Body)
		settle(key, c.Errors.Of(o.Name, o.Addr, one.Req.Op, one.Req.Key, &one.Resp))
	}
	return again
}
