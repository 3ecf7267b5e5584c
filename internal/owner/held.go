package owner

import (
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// LetGo forgets a value that another member has now. It reports false if the view has
// changed: with the new one the value may be this node's again, and the member's copy
// may have come back and been found to be no newer.
func (c *Part) LetGo(v *view.View, hash uint64, e *store.Entry) bool {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.State.View() != v {
		return false
	}
	c.Store.Delete(hash, e.Key)
	return true
}

// Exchange puts an entry in the place of one of the same value, if that is still what
// the store has and nothing that it holds is about to go.
func (c *Part) Exchange(old, e *store.Entry) {
	hash := ring.Hash(c.Seed, old.Key)
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	now, era := c.Clock.Now(), old.Epoch.Load()
	if s.closed || s.emptying > 0 || era != c.State.Era() || c.State.MayServe(hash, c.Clock.Now()) != nil || c.Store.Peek(hash, old.Key, now) != old {
		return
	}
	e.Epoch.Store(era)
	c.Store.Set(hash, e, now) // entryWith made it fit; else the one before it stays
}

// DropBefore drops what was stored before an era, if it can be loaded again, and
// voids the loads that began before it.
func (c *Part) DropBefore(era uint32) {
	if c.Origin.Load == nil {
		return
	}
	// Whoever read the era before it changed has stored its value after this.
	c.eachShard(func(s *shard) { c.voidAllLocked(s) })
	c.Store.DeleteIf(func(_ uint64, e *store.Entry) bool { return e.Epoch.Load() < era })
}

// KeepForOthers keeps a value that another member owns, if it is newer than what is here,
// to be handed over.
func (c *Part) KeepForOthers(hash uint64, e *store.Entry) error {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.putLocked(s, hash, e.Key, Change{E: e, Merge: true})
}

// Peek returns what a key has in memory that this member owns, nil for nothing. It is no use
// of it.
func (c *Part) Peek(hash uint64, key string) *store.Entry {
	now := c.Clock.Now()
	if c.State.MayServe(hash, now) != nil {
		return nil
	}
	e := c.Store.Peek(hash, key, now)
	if e == nil {
		return nil
	}
	if until := FreshUntil(e); until != 0 && now >= until {
		return nil
	}
	return e
}
