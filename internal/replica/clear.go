package replica

import (
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A Clear has a version above all that any member of the view saw when it was called; what
// is not above it is gone. It is noted by everybody before anybody carries it out, so that
// what somebody sees of it comes to all: with digests it goes to every new owner. It needs
// no trace of a key.

// NoteClear notes a Clear that is about to be carried out.
func (c *notebook) NoteClear(v store.Version) {
	if v.After(c.noted) {
		c.noted = v
	}
}

// Clear carries out a Clear that everybody noted. Whoever calls it makes later versions
// greater than v.
func (c *notebook) Clear(v store.Version) {
	c.NoteClear(v)
	if !v.After(c.cleared) {
		return
	}
	c.cleared = v
	c.cfg.Held.Range(func(hash uint64, e *store.Entry) bool {
		if !VersionOf(e).After(v) {
			c.cfg.Held.Delete(hash)
		}
		return true
	})
	for hash, n := range c.notes {
		if n.version.After(v) || n.version == (store.Version{}) {
			continue
		}
		c.forget(n)
		if n.writes > 0 { // the others clear it, too
			c.notes[hash] = &note{hash: hash, writes: n.writes, sent: n.sent}
		}
	}
}

// Cleared returns the newest Clear that this member knows of. It goes with its digest.
func (c *notebook) Cleared() store.Version {
	if c.faults.ClearUnnoted {
		return c.cleared
	}
	return c.noted
}
