package copies

import (
	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// Shows reports whether this member may answer for a key by what it holds, the right to act
// aside. If not, its copies are made before those of others: somebody waits.
func (c *guarded) Shows(hash uint64) bool {
	c.lock()
	defer c.unlock()
	shows := c.core.Shows(hash)
	if !shows {
		c.wantLocked(hash)
	}
	return shows
}

// IsWhole reports whether this member acts by the view of an id, and shows all of its keys that
// have a value.
func (c *guarded) IsWhole(id uint64) bool {
	c.lock()
	defer c.unlock()
	_, ok := c.core.Tells(id)
	return ok && !c.closed && c.core.Ready() && !c.core.Carries() && c.core.Stats().Hidden == 0
}

// Standing reports whether this member owns a key by the view by which it holds copies, and
// whether it shows it.
func (c *guarded) Standing(hash uint64) (own, shown bool) {
	c.lock()
	defer c.unlock()
	return c.view != nil && c.view.OwnerID(hash) == c.Self, c.core.Shows(hash)
}

// Confirms reports whether an entry of the store may be shown.
func (c *guarded) Confirms(hash uint64, e *store.Entry) bool {
	if e.Epoch.Load() == c.shown.Load() {
		return true
	}
	c.lock()
	defer c.unlock()
	if !c.core.Shows(hash) {
		c.wantLocked(hash)
		return false
	}
	if c.Store.PeekHash(hash, c.Clock.Now()) != e {
		return false // the caller looks again
	}
	e.Epoch.Store(c.shown.Load())
	return true
}

// Exchange puts an entry in the place of one of the same value that is shown.
func (c *guarded) Exchange(hash uint64, old, e *store.Entry) {
	c.lock()
	defer c.unlock()
	now, shown := c.Clock.Now(), c.shown.Load()
	if old.Epoch.Load() != shown || c.Store.Peek(hash, old.Key, now) != old {
		return
	}
	e.Epoch.Store(shown)
	c.Put(hash, e, now) // entryWith made it fit; else the one before it stays
}

// A Stats is what is known of copies.
type Stats struct {
	replica.Stats
	Bytes int64 // that notes take
	Ready bool  // all digests are in, and all keys were looked at
	Few   bool  // fewer members keep copies than shall have each value
}

// Stats returns what is known of the copies of this member's keys.
func (c *guarded) Stats() Stats {
	c.lock()
	defer c.unlock()
	return Stats{c.core.Stats(), c.core.Bytes(), c.core.Ready() && !c.core.Carries(), c.core.TooFew()}
}

// Count returns how many values and traces are held here.
func (c *guarded) Count() (n int) {
	c.Store.Range(c.Clock.Now(), func(uint64, *store.Entry) bool { n++; return true })
	return n
}
