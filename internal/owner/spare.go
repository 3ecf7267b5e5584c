package owner

import (
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// A SpareToken is the fill token for values that nobody asked LoadMany for. Whose
// they will be is not known when the call begins, so it is taken for all shards: it
// stands in one as long as nothing there was written, stored or forgotten since, and
// as long as the view, which had settled, is the same.
type SpareToken struct {
	View    *view.View // nil: nothing may be kept
	era     uint32
	began   int64
	removed uint64   // removals so far
	changes []uint64 // by shard
}

// TakeSpareToken is called before a call of LoadMany.
func (c *Part) TakeSpareToken() *SpareToken {
	t := &SpareToken{era: c.State.Era(), began: c.Clock.Now(), removed: c.removals.count.Load()}
	if v := c.State.View(); v != nil && v.Settled() {
		t.View = v
	}
	shards := c.allShards()
	t.changes = make([]uint64, len(shards))
	for i := range shards {
		t.changes[i] = shards[i].changes.Load()
	}
	return t
}

// KeepSpare stores a value that nobody asked for, if this member owns its key, knows
// nothing of it, and the token stands.
func (c *Part) KeepSpare(t *SpareToken, hash uint64, e *store.Entry) {
	c.label(e)
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := c.Clock.Now()
	w := s.writings.calls[e.Key]
	switch {
	case s.closed || t.View != c.State.View():
	case s.changes.Load() != t.changes[c.index(hash, len(t.changes))]:
	case s.lanes[e.Key] != nil: // who waits there has an answer of its own, which may be newer
	case w != nil || s.reserved.isTaken(e.Key) || c.isHeldLocked(s, hash, now):
	case c.Store.Peek(hash, e.Key, now) != nil:
	default:
		c.tryFillLocked(&flight{shard: s, hash: hash, key: e.Key, began: t.began, era: t.era, removals: t.removed}, e)
	}
}
