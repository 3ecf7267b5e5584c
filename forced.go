package cachemesh

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Refresh loads keys again, at their owners, whether or not they have a value, with
// one call of LoadMany per owner if the group has it. When it returns nil, every Get
// that starts later, on any member, sees what a load that began after the call of
// Refresh brought, or something newer; a key that does not exist any more is
// forgotten. Until then everybody sees the value before it, and a load that fails
// leaves that in its place.
//
// While the members disagree about the owner or cannot reach it, it tries again
// until ctx ends, or Options.CallTimeout and LoadTimeout are over if ctx has no
// deadline. Its error is a KeyErrors of those keys that failed: *LoadError,
// ErrInvalidKey, ErrUnsettled, *PeerError, ctx's own. Or ErrClosed, ErrGroupClosed, ErrNotStarted;
// an *OptionError if the group has no loader.
func (g *Group[V]) Refresh(ctx context.Context, keys ...string) error {
	c := g.core
	if c.Origin.Load == nil {
		return errs.Option("load", nil, errors.New("the group has no loader: nothing can be loaded again"))
	}
	if _, ok := ctx.Deadline(); !ok {
		most := clock.Later(int64(c.node.opts.CallTimeout), c.LoadTimeout)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(most))
		defer cancel()
	}
	if err := c.Open(); err != nil {
		return err
	}
	v, err := c.State.Current(ctx)
	if err != nil {
		return err
	}
	f := &failures{}
	var all errgroup.Group
	all.SetLimit(batchCalls)
	for o, mine := range c.partition(v, keys, f) {
		for chunk := range wire.Chunks(mine) {
			all.Go(func() error { c.reloadEach(ctx, c.reloadManyAt(ctx, o, chunk, f), f); return nil })
		}
	}
	all.Wait()
	return f.err()
}

// reloadEach loads keys again one by one, a bounded number at once.
func (c *groupCore) reloadEach(ctx context.Context, keys []string, f *failures) {
	f.each(keys, func(key string) error { return c.reload(ctx, key) })
}

// reload loads a key again, and tries that until ctx ends.
func (c *groupCore) reload(ctx context.Context, key string) error {
	for wait := retryFloor; ; wait = min(2*wait, retryCeiling) {
		v, err := c.State.Current(ctx)
		if err != nil {
			return err
		}
		o := v.Owner(ring.Hash(c.Seed, key))
		if o == nil {
			return errs.ErrClosed
		}
		once := &failures{}
		if rest := c.reloadManyAt(ctx, o, []string{key}, once); len(rest) > 0 {
			err = errs.ErrUnsettled
		} else {
			err = once.errs[key]
		}
		if err == nil || !c.mayRetry(err, owner.Change{CacheOnly: true}) {
			return err
		}
		c.stats.retries.Add(1)
		if cause := c.Life.Pause(ctx, wait); cause != nil {
			if errs.IsUnsettled(err) {
				return errs.Unsettled(cause)
			}
			return err
		}
	}
}

// reloadManyAt has keys loaded again by their owner, and returns those that must be
// tried again.
func (c *groupCore) reloadManyAt(ctx context.Context, o *view.Owner, keys []string, f *failures) (again []string) {
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
	c.node.ways.Carry(ctx, k)
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

// serveRefresh answers a peer's Refresh.
func (c *groupCore) serveRefresh(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	keys, ok := wire.ParseKeys(req.Value)
	if !ok {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed list of keys"
		return
	}
	for i, err := range c.ReloadHere(ctx, keys) {
		var one httppool.Response
		c.Errors.Put(&one, err)
		if i > 0 && len(resp.Value)+len(one.Message) > wire.BatchBytes {
			break
		}
		resp.Value = wire.AppendAnswer(resp.Value, one.Status, one.Flags, []byte(one.Message))
	}
	resp.Status = wire.StatusOK
}
