package owner

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/ring"
)

// BatchLoaders is how many loads one call for several keys runs at once.
const BatchLoaders = 64

// ReloadHere loads keys again that this node owns, together if the group has
// LoadMany. The errors are in the order of keys; nil: loaded, or there is no such
// value.
func (c *Part) ReloadHere(ctx context.Context, keys []string) []error {
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
		b.start()
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
func (c *Part) reloadOne(ctx context.Context, key string, since int64) error {
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
func (c *Part) forceFlight(ctx context.Context, key string, since int64, into *loadBatch) (f *flight, pending <-chan struct{}, err error) {
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
	if b := s.books[key]; b != nil && b.write != nil {
		return nil, b.write, nil
	}
	l := s.lane(key)
	f = l.joinable()
	switch {
	case f == nil:
		f = c.newFlight(ctx, s, hash, key)
		f.forced = true
		f.waiters++
		f.hurry(ctx, c.Origin)
		l.next = f
		c.beginLocked(l, f, into)
		return f, nil, nil
	case f.state != flightWaits && f.began < since:
		return nil, f.done, nil // it may have read what was there before
	}
	f.forced = true
	f.waiters++
	f.hurry(ctx, c.Origin)
	return f, nil, nil
}

// awaitForced waits for a forced flight. It returns what the loader said, nil for
// ErrNotFound, or errVoid.
func (c *Part) awaitForced(ctx context.Context, f *flight) error {
	last, cancel := c.Origin.LastCall(ctx)
	defer cancel()
	for {
		select {
		case <-f.done:
			err := f.out.err
			if f.out.failed != nil {
				err = f.out.failed
			}
			if guard.IsAbsence(err) {
				return nil
			}
			return err
		case <-last:
			if f.isQueued() && ctx.Err() != context.Canceled {
				c.leave(f)
				return errors.Join(errs.ErrOverloaded, context.DeadlineExceeded)
			}
			last = nil
		case <-ctx.Done():
			c.leave(f)
			return ctx.Err()
		case <-c.Life.Closing():
			return errs.ErrClosed
		}
	}
}
