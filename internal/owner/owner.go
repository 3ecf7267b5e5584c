package owner

import (
	"errors"
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// made returns the shards, none before the first load or write. Nothing can be in them
// that began before they were made, so whoever changes the view or the era, and then
// finds none, need not look: what begins in them sees the change.
func (c *Part) made() []shard {
	if p := c.shards.Load(); p != nil {
		return *p
	}
	return nil
}

// allShards returns the shards, and makes them first if need be.
func (c *Part) allShards() []shard {
	if p := c.shards.Load(); p != nil {
		return *p
	}
	c.shards.CompareAndSwap(nil, newShards(c.shardCount))
	return *c.shards.Load()
}

// shard returns the books for a key. Whoever chooses keys can choose bits of their
// hashes, but not how these are scattered.
func (c *Part) shard(hash uint64) *shard {
	shards := c.allShards()
	return &shards[c.scatter.Of(hash)&uint64(len(shards)-1)]
}

// WritesOrigin reports whether a change goes to the group's Writer first.
func (c *Part) WritesOrigin(ch Change) bool {
	return c.Origin.Write != nil && !ch.Merge && !ch.CacheOnly
}

// storeError puts what the store said about e into this package's words.
func (c *Part) storeError(e *store.Entry, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrClosed):
		return c.closedError()
	}
	return c.tooLarge(e)
}

func (c *Part) tooLarge(e *store.Entry) error {
	return &errs.RemoteError{Text: fmt.Sprintf("%v: it takes %d bytes with its key and bookkeeping, group %q holds at most %d in one entry",
		errs.ErrTooLarge, e.Size(), c.Name, c.Store.MaxEntry()), Known: errs.ErrTooLarge}
}

// DropLost forgets what this member does not own in v, so that nothing old can
// return when the keys come back to it, and hot copies that came from a member
// that does not own them in v. Their holders do the same, so the leases on what
// was lost need no invalidation. They stay in the books until they lapse, for the
// keys may come back before that, and a holder that learns of both changes at
// once sees the same owner and keeps its copy. Writers that run for what was lost
// hold back the acknowledgement of v. What nobody could load again stays, to be handed
// over.
func (c *Part) DropLost(v *view.View) {
	lost := func(key string) bool { return v.Standing(ring.Hash(c.Seed, key)) != view.OwnsIt }
	shards := c.made()
	for i := range shards {
		s := &shards[i]
		s.mu.Lock()
		s.changes.Add(1)
		for key := range s.lanes {
			if lost(key) {
				c.voidKeyLocked(s, key)
				c.advanceLocked(s, ring.Hash(c.Seed, key), key) // who waits there asks the new owner
			}
		}
		for key, w := range s.writings {
			if lost(key) {
				c.holdWritingLocked(w)
			}
		}
		s.mu.Unlock()
	}
	if c.Origin.Load != nil {
		c.Store.DeleteIf(func(hash uint64, _ *store.Entry) bool { return v.Standing(hash) != view.OwnsIt })
	}
}

// Close ends all loads and empties the store.
func (c *Part) Close() {
	c.shards.CompareAndSwap(nil, closedShards)
	shards := c.made()
	for i := range shards {
		s := &shards[i]
		s.mu.Lock()
		s.closed = true
		for _, l := range s.lanes {
			if l.current != nil {
				l.current.cancel()
			}
		}
		for _, pair := range s.cohorts {
			if pair.running != nil {
				pair.running.cancel()
			}
			if pair.next != nil {
				pair.next.cancel()
			}
		}
		s.mu.Unlock()
	}
	c.Store.Close()
}

// SetTTL lets an entry expire after the TTL, never if that is forever or not
// positive.
func (c *Part) SetTTL(e *store.Entry, ttl time.Duration) {
	if ttl > 0 && ttl != Forever {
		e.Expires = clock.Later(c.Clock.Now(), ttl)
	}
}

// Allow charges an entry for a decoded value as large as its bytes, which it may come
// to hold: then its first hit need not replace it, if that is right. An entry that has
// no room for it is charged when it is known.
func (c *Part) Allow(e *store.Entry) {
	if c.DecodedSize == 0 {
		return
	}
	e.Extra = store.Allocated(c.DecodedSize) + int64(len(e.Data))
	if e.Size() > c.Store.MaxEntry() {
		e.Extra = 0
	}
}
