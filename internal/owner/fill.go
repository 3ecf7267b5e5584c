package owner

import "github.com/praveenduddu/cachemesh/internal/store"

// DoNotStore, as an entry's expiry, marks a value that answers those who wait
// and is not kept.
const DoNotStore = -1

// recallForFillLocked ends the leases on a value that is about to be refreshed:
// nobody may see the new value while others still read the former one. It
// unlocks s meanwhile; the key is reserved, and whoever misses joins the flight
// or waits.
func (c *Part) recallForFillLocked(f *flight) {
	s := f.shard
	for !f.void {
		b := s.books[f.key]
		switch {
		case b == nil:
			return
		case f.reserved: // it is this flight's already
			s.mu.Unlock()
			c.recall(s, f.hash, f.key)
			s.mu.Lock()
			return
		case b.write != nil: // leases on the value, which was evicted, are being recalled
			busy := b.write
			s.mu.Unlock()
			<-busy
			s.mu.Lock()
		case !b.live(c.Clock.Now()):
			return
		default:
			b.write = make(chan struct{})
			s.mu.Unlock()
			c.recall(s, f.hash, f.key)
			s.mu.Lock()
			c.releaseLocked(s, f.hash, f.key)
			return
		}
	}
}

// fillLocked stores a loaded value if it may be stored. If not, an older one must
// not stay either, which could be served when a later load fails.
func (c *Part) fillLocked(f *flight, e *store.Entry) {
	f.shard.changes.Add(1)
	if f.void && !c.Faults.IgnoreFillToken {
		return // the view changed while leases were recalled
	}
	if !c.tryFillLocked(f, e) {
		c.Store.Delete(f.hash, f.key)
	}
}

func (c *Part) tryFillLocked(f *flight, e *store.Entry) bool {
	now := c.Clock.Now()
	switch {
	case e.Expires == DoNotStore, f.shard.emptying > 0, f.shard.closed, f.era != c.State.Era():
		return false
	case c.State.MayServe(f.hash, c.Clock.Now()) != nil:
		return false
	}
	e.Expires = c.State.Limit(e.Expires, f.began)
	c.attend(e, now)
	e.Epoch.Store(f.era)
	// A value too large to keep still answers those who wait.
	if c.Store.Set(f.hash, e, now) != nil {
		c.noteTooLargeToKeep(e, now)
		return false
	}
	return true
}

// fillNotFoundLocked remembers that a key does not exist, if the group wants it,
// and forgets the value that it had.
func (c *Part) fillNotFoundLocked(f *flight) {
	e := &store.Entry{Key: f.key, Negative: true, Expires: DoNotStore}
	if c.NotFoundTTL > 0 {
		e.Expires = 0
		c.SetTTL(e, c.NotFoundTTL)
	}
	c.fillLocked(f, e)
}
