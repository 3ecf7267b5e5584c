package route

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

func (f *Failures) put(key string, err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.errs == nil {
		f.errs = make(errs.KeyErrors)
	}
	f.errs[key] = err
}

// each does something for each key, a bounded number at once, and gathers what failed.
func (f *Failures) each(keys []string, do func(key string) error) {
	var g errgroup.Group
	g.SetLimit(owner.BatchLoaders)
	for _, key := range keys {
		g.Go(func() error { f.put(key, do(key)); return nil })
	}
	g.Wait()
}

// Err returns the errors as one, nil if there are none.
func (f *Failures) Err() error {
	if len(f.errs) == 0 {
		return nil
	}
	return f.errs
}

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
	var all errgroup.Group
	all.SetLimit(BatchCalls)
	for o, mine := range c.Partition(v, keys, f) {
		if o.Peer == nil {
			all.Go(func() error { c.deleteEach(ctx, mine, f); return nil })
			continue
		}
		for chunk := range wire.Chunks(mine) {
			all.Go(func() error { c.deleteEach(ctx, c.deleteManyAt(ctx, o, chunk, f), f); return nil })
		}
	}
	all.Wait()
	return f.Err()
}

func (c *Router) deleteEach(ctx context.Context, keys []string, f *Failures) {
	f.each(keys, func(key string) error { return c.Change(ctx, ring.Hash(c.Seed, key), key, owner.Change{}) })
}

// deleteManyAt asks a peer to delete keys and returns those that must be tried
// singly. With a Writer these are only keys whose row was certainly not deleted:
// deleted again, it could be one that somebody wrote since.
func (c *Router) deleteManyAt(ctx context.Context, o *view.Owner, keys []string, f *Failures) (rest []string) {
	k := wire.NewCall(wire.OpDeleteMany, c.Name, "")
	defer k.Free()
	k.Req.Value, k.Req.Idempotent = wire.AppendKeys(nil, keys), c.Origin.Write == nil
	if err := c.do(ctx, o, k); errors.Is(err, errs.ErrUnknownGroup) && c.Origin.Write == nil {
		return nil // it holds nothing of the group
	} else if err != nil {
		if !c.mayRetry(err, owner.Change{}) && c.Origin.Write != nil {
			for _, key := range keys {
				f.put(key, err)
			}
			return nil
		}
		return keys
	}
	answers := k.Resp.Value
	for _, key := range keys {
		one := wire.Call{Req: httppool.Request{Op: wire.OpDelete, Key: key}}
		a, others, ok := wire.NextAnswer(answers)
		answers = others
		if !ok {
			one.Resp.Status, one.Resp.Message = httppool.StatusInternal, "its answer is incomplete"
		} else if a.Status == wire.StatusOK {
			continue
		} else {
			one.Resp.Status, one.Resp.Flags, one.Resp.Message = a.Status, a.Flags, string(a.Body)
		}
		err := c.Errors.Of(o.Name, o.Addr, one.Req.Op, one.Req.Key, &one.Resp)
		if c.Origin.Write == nil || errs.IsUnsettled(err) {
			rest = append(rest, key)
		} else {
			f.put(key, err)
		}
	}
	return rest
}

// Failures gathers the keys of a Delete that failed.
type Failures struct {
	mu   sync.Mutex
	errs errs.KeyErrors // guarded by mu
}
