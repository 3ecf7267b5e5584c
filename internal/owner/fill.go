package owner

import (
	"github.com/praveenduddu/cachemesh/internal/store"
)

// fillLocked stores a loaded value if it may be stored. If not, an older one must
// not stay either, which could be served when a later load fails.
func (c *changes) fillLocked(f *flight, e *store.Entry) {
	f.shard.changes.Add(1)
	if f.void && !c.Faults.IgnoreFillToken && !(f.claim != nil && c.Faults.ClaimLookOnce) {
		return // the view changed while copies were recalled
	}
	if !c.tryFillLocked(f, e) {
		c.Store.Delete(f.hash, f.key)
	}
}

func (c *changes) tryFillLocked(f *flight, e *store.Entry) bool {
	now := c.Clock.Now()
	switch {
	case c.removed(f, e) != 0:
		return false
	case e.Expires == DoNotStore, f.shard.emptying > 0, f.shard.closed, f.era != c.State.Era():
		return false
	case c.State.MayServe(f.hash, c.Clock.Now()) != nil:
		return false
	}
	e.Version, e.Expires = c.NextVersion(), c.State.Limit(e.Expires, f.began)
	c.attend(e, now)
	e.Epoch.Store(f.era)
	// A value too large to keep still answers those who wait.
	if c.put(f.hash, e, now) != nil {
		e.Version = store.Version{} // of nothing that the key has
		c.noteTooLargeToKeep(e, now)
		return false
	}
	return true
}

// removed returns the number of the first removal that came after a load began and hits its
// value; 0 if there was none.
func (c *changes) removed(f *flight, e *store.Entry) uint64 {
	if c.Faults.IgnoreRemovals {
		return 0
	}
	return c.removals.hit(f.removals, f.key, labelOf(e))
}

// fillNotFoundLocked remembers that a key does not exist, if the group wants it,
// and forgets the value that it had.
func (c *changes) fillNotFoundLocked(f *flight) {
	e := &store.Entry{Key: f.key, Negative: true, Expires: DoNotStore}
	if c.NotFoundTTL > 0 {
		e.Expires = 0
		c.SetTTL(e, c.NotFoundTTL)
	}
	c.fillLocked(f, e)
}
