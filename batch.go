package cachemesh

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

const (
	batchKeys    = 1024    // keys in one call to a peer
	batchBytes   = 1 << 20 // bytes of keys in one call, and of values in its answer
	batchCalls   = 32      // calls that one GetMany or Delete makes at once
	batchLoaders = 64      // loads that one call runs at once
)

// results gathers the outcome of a batch.
type results struct {
	mu      sync.Mutex
	entries map[string]*store.Entry // guarded by mu
	errs    KeyErrors               // guarded by mu
}

func (r *results) put(key string, e *store.Entry, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case e != nil && e.Negative:
		return
	case e != nil:
		r.entries[key] = e
	}
	switch {
	case err == nil:
	case !errors.Is(err, ErrNotFound):
		if r.errs == nil {
			r.errs = make(KeyErrors)
		}
		r.errs[key] = err
	}
}

// err returns the errors as one, nil if there are none.
func (r *results) err() error {
	if len(r.errs) == 0 {
		return nil
	}
	return r.errs
}

// partition sorts distinct valid keys by owner. Invalid ones become errors.
func (c *groupCore) partition(v *view, keys []string, r *results) map[*owner][]string {
	byOwner := make(map[*owner][]string)
	seen := make(map[string]struct{}, len(keys))
	for _, key := range keys {
		if _, dup := seen[key]; dup {
			continue
		}
		seen[key] = struct{}{}
		if err := checkKey(key); err != nil {
			r.put(key, nil, err)
			continue
		}
		o := v.owner(ring.Hash(c.seed, key))
		if o == nil {
			r.put(key, nil, ErrClosed)
			continue
		}
		byOwner[o] = append(byOwner[o], key)
	}
	return byOwner
}

// getMany gets keys with one call per owner, side by side.
func (c *groupCore) getMany(ctx context.Context, keys []string) (map[string]*store.Entry, error) {
	c.stats.gets.Add(uint64(len(keys)))
	return c.getManyFlagged(ctx, keys, 0)
}

func (c *groupCore) getManyFlagged(ctx context.Context, keys []string, flags uint8) (map[string]*store.Entry, error) {
	r := &results{entries: make(map[string]*store.Entry, len(keys))}
	v, err := c.node.currentView(ctx)
	if err != nil {
		return nil, err
	}
	var all errgroup.Group
	all.SetLimit(batchCalls)
	for o, mine := range c.partition(v, keys, r) {
		if o.peer == nil {
			all.Go(func() error { c.getOwn(ctx, c.hits(mine, r), r); return nil })
			continue
		}
		for chunk := range chunks(c.hits(mine, r)) {
			all.Go(func() error { c.getEach(ctx, c.getManyAt(ctx, o, chunk, flags, r), r); return nil })
		}
	}
	all.Wait()
	return r.entries, r.err()
}

// hits answers what this member holds and returns the rest.
func (c *groupCore) hits(keys []string, r *results) (rest []string) {
	for _, key := range keys {
		if e := c.hit(ring.Hash(c.seed, key), key); e != nil {
			if e.Negative {
				c.stats.negativeHits.Add(1)
			}
			r.put(key, e, nil)
			continue
		}
		rest = append(rest, key)
	}
	return rest
}

// getOwn gets keys that this node owns and that missed.
func (c *groupCore) getOwn(ctx context.Context, keys []string, r *results) {
	if c.loadMany == nil {
		c.getEach(ctx, keys, r)
		return
	}
	var g errgroup.Group
	g.SetLimit(batchCalls)
	for chunk := range chunks(keys) {
		g.Go(func() error { c.getEach(ctx, c.loadBatched(ctx, chunk, r.put), r); return nil })
	}
	g.Wait()
}

// getEach gets keys one by one, a bounded number at once.
func (c *groupCore) getEach(ctx context.Context, keys []string, r *results) {
	var g errgroup.Group
	g.SetLimit(batchLoaders)
	for _, key := range keys {
		g.Go(func() error {
			e, err := c.getSlow(ctx, ring.Hash(c.seed, key), key)
			r.put(key, e, err)
			return nil
		})
	}
	g.Wait()
}

// getManyAt asks a peer for several keys. It returns those that must be asked
// for singly: the peer does not own them, or could not be reached.
func (c *groupCore) getManyAt(ctx context.Context, o *owner, keys []string, flags uint8, r *results) (rest []string) {
	k := newCall(opGetMany, c.name, "")
	defer k.free()
	k.req.Flags, k.req.Value = flags, appendKeys(nil, keys)
	if err := k.do(ctx, c, o); err != nil {
		return keys
	}
	answers := k.resp.Value
	for i, key := range keys {
		var a answer
		var ok bool
		if a, answers, ok = nextAnswer(answers); !ok {
			return append(rest, keys[i:]...)
		}
		if a.flags&flagHit != 0 && flags&flagNoValue == 0 {
			c.stats.peerHits.Add(1)
			if a.status == statusNotFound {
				c.stats.negativeHits.Add(1)
			}
		}
		if a.status == statusOK && a.flags&flagStale == 0 {
			r.put(key, &store.Entry{Key: key, Data: a.body}, nil)
			continue
		}
		one := call{req: httppool.Request{Op: opGet, Key: key}}
		one.resp.Status, one.resp.Flags, one.resp.Value = a.status, a.flags, a.body
		if a.status == statusOK {
			if !cutStale(&one.resp) {
				rest = append(rest, key)
				continue
			}
			r.put(key, &store.Entry{Key: key, Data: one.resp.Value}, c.staleResponse(o, &one))
			continue
		}
		one.resp.Message = string(a.body)
		if err := c.errorOf(o, &one); errors.Is(err, ErrNotFound) || a.status == statusLoadFailed {
			r.put(key, nil, err)
		} else {
			rest = append(rest, key)
		}
	}
	return rest
}

// serveGetMany answers a peer's getManyAt: hits at once, the rest loaded side
// by side. When the answer grows too large, the caller asks singly for what is
// missing.
func (c *groupCore) serveGetMany(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	keys, ok := parseKeys(req.Value)
	if !ok {
		resp.Status, resp.Message = statusInvalid, "malformed list of keys"
		return
	}
	outcomes := c.answerMany(ctx, keys)
	for i := range outcomes {
		o := &outcomes[i]
		if req.Flags&flagNoValue != 0 {
			o.Value = nil
		}
		body := o.Value
		switch {
		case o.Status != statusOK:
			body = []byte(o.Message)
		case o.Flags&flagStale != 0:
			body = appendStale(nil, o)
		}
		if len(resp.Value)+len(body) > batchBytes && i > 0 {
			break
		}
		resp.Value = appendAnswer(resp.Value, o.Status, o.Flags, body)
	}
	resp.Status = statusOK
}

// answerMany answers several Gets of peers: hits at once, the rest together if
// the group has LoadMany, else side by side.
func (c *groupCore) answerMany(ctx context.Context, keys []string) []httppool.Response {
	outcomes := make([]httppool.Response, len(keys))
	missing := make(map[string]int)
	for i, key := range keys {
		if !c.serveHit(ring.Hash(c.seed, key), "", &httppool.Request{Key: key}, &outcomes[i]) {
			missing[key] = i
		}
	}
	rest := slices.Collect(maps.Keys(missing))
	if c.loadMany != nil && len(rest) > 0 {
		rest = c.loadBatched(ctx, rest, func(key string, e *store.Entry, err error) {
			c.stats.served.Add(1)
			c.putOutcome(&outcomes[missing[key]], e, err)
		})
	}
	var g errgroup.Group
	g.SetLimit(batchLoaders)
	for _, key := range rest {
		g.Go(func() error {
			c.serveGet(ctx, ring.Hash(c.seed, key), key, "", 0, &outcomes[missing[key]])
			return nil
		})
	}
	g.Wait()
	return outcomes
}

// deleteMany deletes keys with one call per owner, side by side. Whatever a
// call did not settle is deleted singly, with its retries.
func (c *groupCore) deleteMany(ctx context.Context, keys []string) error {
	v, err := c.node.currentView(ctx)
	if err != nil {
		return err
	}
	r := &results{}
	var all errgroup.Group
	all.SetLimit(batchCalls)
	for o, mine := range c.partition(v, keys, r) {
		if o.peer == nil {
			all.Go(func() error { c.deleteEach(ctx, mine, r); return nil })
			continue
		}
		for chunk := range chunks(mine) {
			all.Go(func() error { c.deleteEach(ctx, c.deleteManyAt(ctx, o, chunk), r); return nil })
		}
	}
	all.Wait()
	return r.err()
}

func (c *groupCore) deleteEach(ctx context.Context, keys []string, r *results) {
	var g errgroup.Group
	g.SetLimit(batchLoaders)
	for _, key := range keys {
		g.Go(func() error {
			r.put(key, nil, c.change(ctx, key, change{}))
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
	for _, key := range keys {
		var one httppool.Response
		c.putError(&one, c.write(ctx, ring.Hash(c.seed, key), key, change{}))
		resp.Value = appendAnswer(resp.Value, one.Status, 0, nil)
	}
	resp.Status = statusOK
}
