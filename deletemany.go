package cachemesh

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/ring"
)

// failures gathers the keys of a Delete that failed.
type failures struct {
	mu   sync.Mutex
	errs KeyErrors // guarded by mu
}

func (f *failures) put(key string, err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.errs == nil {
		f.errs = make(KeyErrors)
	}
	f.errs[key] = err
}

// err returns the errors as one, nil if there are none.
func (f *failures) err() error {
	if len(f.errs) == 0 {
		return nil
	}
	return f.errs
}

// partition sorts distinct valid keys by owner. Invalid ones become errors.
func (c *groupCore) partition(v *view, keys []string, f *failures) map[*owner][]string {
	byOwner := make(map[*owner][]string)
	seen := make(map[string]struct{}, len(keys))
	for _, key := range keys {
		if _, dup := seen[key]; dup {
			continue
		}
		seen[key] = struct{}{}
		if err := checkKey(key); err != nil {
			f.put(key, err)
			continue
		}
		o := v.owner(ring.Hash(c.seed, key))
		if o == nil {
			f.put(key, ErrClosed)
			continue
		}
		byOwner[o] = append(byOwner[o], key)
	}
	return byOwner
}

// deleteMany deletes keys with one call per owner, side by side. Whatever a
// call did not settle is deleted singly, with its retries.
func (c *groupCore) deleteMany(ctx context.Context, keys []string) error {
	v, err := c.node.currentView(ctx)
	if err != nil {
		return err
	}
	f := &failures{}
	var all errgroup.Group
	all.SetLimit(batchCalls)
	for o, mine := range c.partition(v, keys, f) {
		if o.peer == nil {
			all.Go(func() error { c.deleteEach(ctx, mine, f); return nil })
			continue
		}
		for chunk := range chunks(mine) {
			all.Go(func() error { c.deleteEach(ctx, c.deleteManyAt(ctx, o, chunk), f); return nil })
		}
	}
	all.Wait()
	return f.err()
}

func (c *groupCore) deleteEach(ctx context.Context, keys []string, f *failures) {
	var g errgroup.Group
	g.SetLimit(batchLoaders)
	for _, key := range keys {
		g.Go(func() error {
			f.put(key, c.change(ctx, key, change{}))
			return nil
		})
	}
	g.Wait()
}

// deleteManyAt asks a peer to delete keys and returns those that it did not.
func (c *groupCore) deleteManyAt(ctx context.Context, o *owner, keys []string) (rest []string) {
	k := newCall(opDeleteMany, c.name, "")
	defer k.free()
	k.req.Value = appendKeys(nil, keys)
	if err := k.do(ctx, c, o); errors.Is(err, ErrUnknownGroup) {
		return nil // it holds nothing of the group
	} else if err != nil {
		return keys
	}
	answers := k.resp.Value
	for i, key := range keys {
		var a answer
		var ok bool
		if a, answers, ok = nextAnswer(answers); !ok {
			return append(rest, keys[i:]...)
		}
		if a.status != statusOK {
			rest = append(rest, key)
		}
	}
	return rest
}

func (c *groupCore) serveDeleteMany(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	keys, ok := parseKeys(req.Value)
	if !ok {
		resp.Status, resp.Message = statusInvalid, "malformed list of keys"
		return
	}
	outcomes := make([]httppool.Response, len(keys))
	var g errgroup.Group
	g.SetLimit(batchLoaders)
	for i, key := range keys {
		hash := ring.Hash(c.seed, key)
		s := c.shard(hash)
		done, pending, err := c.tryWrite(s, hash, key, change{})
		if done {
			c.putError(&outcomes[i], err)
			continue
		}
		g.Go(func() error { // it waits for leases, or for another write
			if pending == nil {
				c.putError(&outcomes[i], c.writeReserved(ctx, s, hash, key, change{}))
			} else {
				c.putError(&outcomes[i], c.write(ctx, hash, key, change{}))
			}
			return nil
		})
	}
	g.Wait()
	for i := range outcomes {
		resp.Value = appendAnswer(resp.Value, outcomes[i].Status, 0, nil)
	}
	resp.Status = statusOK
}
