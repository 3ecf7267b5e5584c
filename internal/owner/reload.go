package owner

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
)

// BatchLoaders is how many loads one call for several keys runs at once.
const BatchLoaders = 64

// ReloadHere loads keys again that this node owns, together if the group has
// LoadMany. The errors are in the order of keys; nil: loaded, or there is no such
// value.
func (c *gets) ReloadHere(ctx context.Context, keys []string) []error {
	since := c.Clock.Now()
	errs, flights := make([]error, len(keys)), make([]*flight, len(keys))
	var b *loadBatch
	if c.Origin.LoadMany != nil && len(keys) > 1 {
		b = c.newBatch(ctx)
	}
	var g errgroup.Group
	g.SetLimit(BatchLoaders)
	var singly []int
	for i, key := range keys {
		f, pending, err := c.forceFlight(ctx, key, since, b)
		if flights[i], errs[i] = f, err; pending != nil {
			singly = append(singly, i)
		}
	}
	if b != nil {
		c.startBatch(b)
	}
	for _, i := range singly {
		g.Go(func() error { errs[i] = c.reloadOne(ctx, keys[i], since); return nil })
	}
	for i, f := range flights {
		if f == nil {
			continue
		}
		if errs[i] = c.awaitForced(ctx, f); errs[i] == errVoid {
			errs[i] = c.reloadOne(ctx, keys[i], since)
		}
	}
	g.Wait()
	return errs
}

// reloadOne loads a key again, once what is in the way of that has ended.
func (c *gets) reloadOne(ctx context.Context, key string, since int64) error {
	for {
		f, pending, err := c.forceFlight(ctx, key, since, nil)
		switch {
		case f != nil:
			if err = c.awaitForced(ctx, f); err != errVoid {
				return err
			}
			continue
		case pending == nil:
			return err
		}
		select {
		case <-pending:
		case <-ctx.Done():
			return ctx.Err()
		case <-c.Life.Closing():
			return errs.ErrClosed
		}
	}
}

// forceFlight returns a flight of a key that has not begun before since, or what has
// to end first, or an error.
func (c *gets) forceFlight(ctx context.Context, key string, since int64, into *loadBatch) (f *flight, pending <-chan struct{}, err error) {
	hash := ring.Hash(c.Seed, key)
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || c.Life.IsClosing() {
		return nil, nil, c.closedError()
	}
	if err := c.State.MayServe(hash, c.Clock.Now()); err != nil {
		return nil, nil, err
	}
	if over := s.reserved[key]; over != nil {
		return nil, over, nil
	}
	if c.Cache {
		return nil, nil, nil
	}
	l := s.lanes.of(key)
	f = l.joinable()
	switch {
	case f == nil:
		f = newFlight(ctx, s, hash, key)
		f.forced = true
		f.waiters++
		f.hurry(ctx, c.Origin)
		l.next = f
		c.doLocked(s, hash, key, c.beginLocked(l, f, into))
		return f, nil, nil
	case f.state != flightWaits && f.began < since:
		return nil, f.done, nil // it may have read what was there before
	}
	f.forced = true
	f.waiters++
	f.hurry(ctx, c.Origin)
	return f, nil, nil
}
