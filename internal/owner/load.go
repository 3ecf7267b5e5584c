package owner

import (
	"context"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// maxVoids is how many voided loads a Get of a group with a Writer puts up with
// before writes of the key wait for its next one.
const maxVoids = 2

// Load answers a Get that missed at the owner: it joins the flight of the key or
// makes one. The key must not alias a buffer.
// It reports a hit if the value was there after all.
// Its errors are ctx's own, errs.ErrNotOwner, ErrUnsettled, ErrClosed, ErrNotFound
// and *LoadError.
func (c *gets) Load(ctx context.Context, hash uint64, key string) (e *store.Entry, hit bool, err error) {
	if c.Cache {
		return c.awaitPresent(ctx, hash, key)
	}
	for voids := 0; ; voids++ {
		removals := c.removals.count.Load()
		e, f, err := c.joinFlight(ctx, hash, key, joining{insists: voids >= maxVoids})
		if f == nil {
			return e, err == nil, err
		}
		last, cancel := c.Origin.LastCall(ctx)
		e, hit, err = c.await(ctx, last, f, removals)
		cancel()
		if err != errVoid {
			return e, hit, err
		}
	}
}

// LoadMany loads keys that this node owns with one call of LoadMany, sharing
// the flights of those that are being loaded already. It hands each outcome to
// put, and returns the keys that must be tried singly.
func (c *gets) LoadMany(ctx context.Context, keys []string, put func(key string, e *store.Entry, err error)) (rest []string) {
	b, removals := c.newBatch(ctx), c.removals.count.Load()
	var flights []*flight
	var list Due
	for _, key := range keys {
		e, f, err := c.joinFlight(ctx, ring.Hash(c.Seed, key), key, joining{into: b, due: &list})
		switch {
		case f != nil:
			flights = append(flights, f)
		case e != nil:
			put(key, e, err)
		case errs.IsUnsettled(err):
			rest = append(rest, key)
		default:
			put(key, nil, err)
		}
	}
	c.startBatch(b)
	c.RefreshAll(&list)
	last, cancel := c.Origin.LastCall(ctx)
	defer cancel()
	for _, f := range flights {
		e, _, err := c.await(ctx, last, f, removals)
		if err == errVoid || e == nil && errs.IsUnsettled(err) {
			rest = append(rest, f.key)
			continue
		}
		put(f.key, e, err)
	}
	return rest
}
