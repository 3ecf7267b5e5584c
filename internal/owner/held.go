package owner

import (
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// Peek returns what a key has in memory that this member owns, nil for nothing. It is no use
// of it.
func (c *keys) Peek(hash uint64, key string) *store.Entry {
	now := c.Clock.Now()
	if c.mayServe(hash) != nil {
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

// LetGo forgets a value that another member has now. It reports false if the view has
// changed: with the new one the value may be this node's again, and the member's copy
// may have come back and been found to be no newer.
func (c *keys) LetGo(v *view.View, hash uint64, e *store.Entry) bool {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.State.View() != v {
		return false
	}
	c.Store.Remove(hash, e.Key, store.Moved)
	return true
}

// Exchange puts an entry in the place of one of the same value, if that is still what
// the store has and nothing that it holds is about to go.
func (c *keys) Exchange(old, e *store.Entry) {
	hash := ring.Hash(c.Seed, old.Key)
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.copies != nil {
		if !s.closed && s.emptying == 0 && c.State.MayServe(hash, c.Clock.Now()) == nil {
			c.copies.Exchange(hash, old, e)
		}
		return
	}
	now, era := c.Clock.Now(), old.Epoch.Load()
	labelOf(old).Hold() // its place in the lists is that of the value
	defer labelOf(old).Release()
	if s.closed || s.emptying > 0 || era != c.State.Era() || c.State.MayServe(hash, c.Clock.Now()) != nil || c.Store.Peek(hash, old.Key, now) != old {
		return
	}
	e.Epoch.Store(era)
	c.put(hash, e, now) // entryWith made it fit; else the one before it stays
}

// Discard drops an entry that cannot be read from the store, where it was owned and can
// be loaded again. As when it is evicted, a load first ends its copies.
func (c *keys) Discard(hash uint64, key string, e *store.Entry) bool {
	if c.Origin.Load == nil || e == nil {
		return false
	}
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Store.Peek(hash, key, c.Clock.Now()) != e {
		return false
	}
	c.Store.Remove(hash, key, store.Capacity)
	return true
}

// DropBefore drops what was stored before an era, if it can be loaded again, and
// voids the loads that began before it.
func (c *keys) DropBefore(era uint32) {
	if c.Origin.Load == nil {
		return
	}
	// Whoever read the era before it changed has stored its value after this.
	c.eachShard(func(s *shard) { c.voidAllLocked(s) })
	c.Store.DeleteIf(func(_ uint64, e *store.Entry) bool { return e.Epoch.Load() < era })
}

// EachSettled calls f for what is held. A value of which the origin is being
// written is not among it: whatever comes of that, it is the former one.
func (c *keys) EachSettled(f func(hash uint64, e *store.Entry)) {
	writing := make(map[string]bool)
	c.eachShard(func(s *shard) {
		for key := range s.writings.calls {
			writing[key] = true
		}
	})
	c.Store.Range(c.Clock.Now(), func(hash uint64, e *store.Entry) bool {
		if !writing[e.Key] {
			f(hash, e)
		}
		return true
	})
}

// NoteTooLarge remembers that the value of a key cannot be sent.
func (c *keys) NoteTooLarge(key string) {
	s := c.shard(ring.Hash(c.Seed, key))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tooLarge == nil {
		s.tooLarge = make(largeKeys)
	}
	s.tooLarge.note(key, c.Clock.Now()+int64(tooLargeFor), &c.notes)
}

// IsTooLarge reports whether this member owns a key whose value is known to be too large
// to be sent.
func (c *keys) IsTooLarge(hash uint64, key string) bool {
	if c.State.MayServe(hash, c.Clock.Now()) != nil {
		return false
	}
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tooLarge.has(key, c.Clock.Now(), &c.notes)
}
