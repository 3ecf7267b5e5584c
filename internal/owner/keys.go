package owner

import (
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/copies"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// keys are the keys of a part: what memory has of them, and their shards, whose locks are the
// order of what happens to them.
type keys struct {
	memory
	shards
	holders   recaller
	registers atomic.Bool  // holders of copies may be registered
	granted   atomic.Bool  // a copy was granted, ever
	copies    *copies.Part // of what is written, on other members; nil: none
}

// Gone is told of each entry that leaves the store.
func (c *keys) Gone(e *store.Entry, why store.Cause) {
	if c.copies != nil {
		c.copies.Gone(e, why)
	}
	c.memory.gone(e, why)
}

// mayServe returns nil if this member may answer for a key from what it holds, or why not:
// see view.State.MayServe. What has too few copies yet is errs.ErrUnsettled.
func (c *keys) mayServe(hash uint64) error {
	err := c.State.MayServe(hash, c.Clock.Now())
	if err == nil && !c.shows(hash) {
		return errs.ErrUnsettled
	}
	return err
}

// shows reports whether what a key has may be shown: it has its copies, if it is to have any.
func (c *keys) shows(hash uint64) bool { return c.copies == nil || c.copies.Shows(hash) }

// presentLocked returns what a key has without a load: an entry, perhaps with a
// *StaleError, or why this member may not load it, or neither. If the entry is due the caller
// is to refresh it.
func (c *keys) presentLocked(s *shard, hash uint64, key string) (e *store.Entry, due bool, err error) {
	if s.closed || c.Life.IsClosing() { // loads end before the shards close
		return nil, false, c.closedError()
	}
	if err := c.mayServe(hash); err != nil {
		return nil, false, err
	}
	now := c.Clock.Now()
	if e, due = c.lookup(hash, key, now); e != nil {
		return e, due, nil
	}
	if e, due, err = c.staleNow(hash, key, now); e == nil {
		err = c.setbacks.last(key, now)
	}
	return e, due, err
}

// busyLocked reports whether a key that is not in the store must not be loaded
// now; when that ends its lane goes on. While holders serve a copy of a value that
// the store has evicted, a load could bring a newer one, and then readers would see
// the older after the newer: the key is reserved, and the caller is to recall the copies.
func (c *keys) busyLocked(s *shard, hash uint64, key string) (busy, recall bool) {
	switch {
	case s.reserved.isTaken(key):
		return true, false
	case !c.isHeldLocked(s, hash, c.Clock.Now()):
		return false, false
	}
	s.reserved.reserve(key)
	return true, true
}

// voidLocked takes back the fill token of a flight that has begun. With a Writer
// its value is of no use to anyone then.
func (c *keys) voidLocked(f *flight) {
	if f.void {
		return
	}
	f.void = true
	f.shard.lanes.unlink(f)
	if f.waiters == 0 {
		f.cancel() // it went on for its value's sake alone
	}
	if c.Origin.Write != nil && !c.Faults.IgnoreFillToken {
		f.publishLocked(landed{err: errVoid})
		f.cancel()
	}
}

// voidKeyLocked takes back the token of a key's load, if one is under way.
func (c *keys) voidKeyLocked(s *shard, key string) {
	if l := s.lanes[key]; l != nil && l.current != nil {
		c.voidLocked(l.current)
	}
}

// voidAllLocked takes back the tokens of all loads.
func (c *keys) voidAllLocked(s *shard) {
	for key := range s.lanes {
		c.voidKeyLocked(s, key)
	}
	for key := range s.tooLarge {
		s.tooLarge.forget(key, &c.notes)
	}
	s.changes.Add(1)
}

// reserveLocked reserves a key for a write that waits: nobody else writes or
// loads it, and a load that is under way stores nothing.
func (c *keys) reserveLocked(s *shard, key string) {
	s.reserved.reserve(key)
	c.voidKeyLocked(s, key)
	s.changes.Add(1)
}

// goesLocked reports whether what a key has goes with a removal: its value, or one that the
// store has no more and of which others may still serve copies.
func (c *keys) goesLocked(s *shard, hash uint64, key string, r *Removal) bool {
	now := c.Clock.Now()
	if r.Tags == nil {
		return r.hits(key, nil)
	}
	if e := c.Store.Peek(hash, key, now); e != nil {
		return r.hits(key, labelOf(e))
	}
	return r.hits(key, s.registered.labelOf(hash)) && (s.reserved.isTaken(key) || c.isHeldLocked(s, hash, now))
}

// isOwn reports whether a key is this member's own, so that a removal concerns it here, and not one
// of which this member has a copy. Its error is errs.ErrUnsettled: what it has is not known yet.
func (c *keys) isOwn(hash uint64) (own bool, err error) {
	if c.copies == nil {
		return true, nil
	}
	own, shown := c.copies.Standing(hash)
	if own && !shown {
		return true, errs.ErrUnsettled
	}
	return own, nil
}

// ownOf returns those of a list of keys that are this member's own.
func (c *keys) ownOf(keys []string) (own []string, err error) {
	own = keys[:0]
	for _, key := range keys {
		is, err := c.isOwn(ring.Hash(c.Seed, key))
		if err != nil {
			return nil, err
		}
		if is {
			own = append(own, key)
		}
	}
	return own, nil
}
