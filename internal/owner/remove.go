package owner

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// RemoveHere forgets what this member owns of the group that goes with a removal, and
// recalls the copies of it. The origin stays as it is. The id is that of the view by which
// the caller acts. Keys are found by their tags, so that it costs what they do and not
// what the group does; by a prefix, all are looked at.
//
// The schedule it defends against: a load reads a row with the tag; the row changes; the tag
// is deleted, here nothing bears it yet; the load ends. So the removal is noted before anything
// is looked for. A load that began before that does not store what it hits, and whoever comes
// after that gets none of it; one that has stored it before, under its shard's lock, is found.
func (c *Part) RemoveHere(ctx context.Context, id uint64, r Removal) error {
	if !c.State.ActsBy(id) {
		return errs.ErrUnsettled
	}
	if c.copies != nil && !c.copies.IsWhole(id) {
		return errs.ErrUnsettled // what has a value may not be here yet
	}
	c.removals.note(r)
	closed := false
	c.eachShard(func(s *shard) { // what was stored without hearing of it is found
		closed = closed || s.closed
		for _, f := range s.claims { // who waits for one may have come later
			if r.Tags != nil || r.hits(f.key, nil) {
				c.voidLocked(f)
			}
		}
	})
	if closed {
		return c.closedError()
	}
	var err error
	if r.Tags != nil {
		err = c.removeTags(ctx, &r)
	} else {
		err = c.removePrefix(ctx, &r)
	}
	if err == nil && c.copies != nil {
		err = c.removedCopies(ctx, id, &r)
	}
	switch {
	case err != nil:
		return err
	case !c.State.ActsBy(id):
		return errs.ErrUnsettled
	case c.State.Phase() == view.AsMinority:
		return &errs.PeerError{Op: wire.OpNames[r.op()], Member: c.Member, Addr: c.Addr, MaybeApplied: true, Err: errs.ErrMinority}
	}
	return nil
}

// removeTags removes what bears one of the tags.
func (c *Part) removeTags(ctx context.Context, r *Removal) error {
	for _, tag := range r.Tags {
		w := c.Labels.Walk(tag)
		var keys []string
		for more := true; more; {
			keys, more = w.Next(keys[:0])
			own, err := c.ownOf(keys)
			if err == nil {
				err = c.removeKeys(ctx, own, r)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// removedCopies sees to it that nothing of what a removal hits comes back out of a copy after it.
//
// The schedules it defends against: a value is evicted here, its holders have not heard of it, the
// removal finds nothing, this member crashes. And: a Set without the tag may be applied, and hides
// the value that the removal was to find; this member crashes, and nobody else has what was Set.
func (c *Part) removedCopies(ctx context.Context, id uint64, r *Removal) error {
	if err := c.copies.AwaitDrops(ctx); err != nil {
		return &errs.PeerError{Op: wire.OpNames[r.op()], Member: c.Member, Addr: c.Addr, MaybeApplied: true, Err: err}
	}
	if !c.copies.IsWhole(id) {
		return errs.ErrUnsettled
	}
	return nil
}

// removeChunk is how many keys are gathered before they are removed.
const removeChunk = 1024

// removePrefix removes the keys with a prefix, of which there is a value, a copy elsewhere or
// a failure that is remembered.
func (c *Part) removePrefix(ctx context.Context, r *Removal) (err error) {
	var keys []string
	flush := func(least int) bool {
		if len(keys) > least && err == nil {
			err = c.removeKeys(ctx, keys, r)
			keys = keys[:0]
		}
		return err == nil
	}
	c.Store.Range(c.Clock.Now(), func(hash uint64, e *store.Entry) bool {
		if !r.hits(e.Key, nil) {
			return true
		}
		own, failed := c.isOwn(hash)
		if err = failed; own {
			keys = append(keys, e.Key)
		}
		return flush(removeChunk)
	})
	flush(0)
	c.eachShard(func(s *shard) {
		for key := range s.reserved { // of what its holders serve yet the store may have nothing
			if r.hits(key, nil) {
				keys = append(keys, key)
			}
		}
	})
	keys = c.setbacks.withPrefix(keys, r.Prefix)
	flush(0)
	c.recallUnstored()
	return err
}

// removeKeys deletes keys, as far as they go with a removal: those at once of which no copy
// is out, the others side by side.
func (c *Part) removeKeys(ctx context.Context, keys []string, r *Removal) error {
	ch := Change{CacheOnly: true, Only: r}
	var g errgroup.Group
	g.SetLimit(ClearCalls)
	var failed error
	for _, key := range keys {
		hash := ring.Hash(c.Seed, key)
		done, err := c.WriteNow(hash, key, ch)
		if done {
			if err != nil {
				failed = err
				break
			}
			continue
		}
		g.Go(func() error { return c.Write(ctx, hash, key, ch) })
	}
	return errors.Join(failed, g.Wait())
}
