package cachemesh

import (
	"strings"

	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A spareToken is the fill token for values that nobody asked LoadMany for. Whose
// they will be is not known when the call begins, so it is taken for all shards: it
// stands in one as long as nothing there was written, stored or forgotten since, and
// as long as the view, which had settled, is the same.
type spareToken struct {
	view    *view.View // nil: nothing may be kept
	era     uint32
	began   int64
	changes []uint64 // by shard
}

func (c *part) takeSpareToken() *spareToken {
	t := &spareToken{era: c.state.Era(), began: c.clock.Now()}
	if v := c.state.View(); v != nil && v.Settled() {
		t.view = v
	}
	shards := c.allShards()
	t.changes = make([]uint64, len(shards))
	for i := range shards {
		t.changes[i] = shards[i].changes.Load()
	}
	return t
}

// keepSpare stores a value that nobody asked for, if this member owns its key, knows
// nothing of it, and the token stands.
func (c *part) keepSpare(t *spareToken, hash uint64, e *store.Entry) {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := c.clock.Now()
	b, w := s.books[e.Key], s.writings[e.Key]
	switch {
	case s.closed || t.view != c.state.View():
	case s.changes.Load() != t.changes[c.scatter.Of(hash)&uint64(len(t.changes)-1)]:
	case s.lanes[e.Key] != nil: // who waits there has an answer of its own, which may be newer
	case b != nil && (b.write != nil || b.live(now)) || w != nil:
	case c.store.Peek(hash, e.Key, now) != nil:
	default:
		c.tryFillLocked(&flight{shard: s, hash: hash, key: e.Key, began: t.began, era: t.era}, e)
	}
}

// keepSpares stores values that nobody asked for, some of them if they are very many.
func (g *Group[V]) keepSpares(t *spareToken, l *loading, asked map[string]origin.Loaded, values map[string]V) {
	c, looked := g.core, 0
	if t.view == nil {
		return
	}
	for key, v := range values {
		if looked == maxLoadMany {
			return
		}
		if _, ok := asked[key]; ok || wire.CheckKey(key) != nil {
			continue
		}
		looked++
		hash := ring.Hash(c.seed, key)
		if c.state.MayServe(hash, c.clock.Now()) != nil {
			continue
		}
		if e, err := g.loadedEntry(strings.Clone(key), v, l); err == nil {
			c.keepSpare(t, hash, e)
		}
	}
}
