package owner

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A Due list gathers the entries that one call found due for refresh, to be loaded
// together.
type Due []*store.Entry

// refreshDue refreshes an entry, with others that are due if there is a list.
func (c *loads) refreshDue(e *store.Entry, list *Due) {
	if c.Cache {
		return // who claims it does that
	}
	if list != nil && c.Origin.LoadMany != nil {
		*list = append(*list, e)
		return
	}
	c.refresh([]*store.Entry{e})
}

// RefreshAll refreshes what is due, with as few calls of LoadMany as can be, and
// empties the list.
func (c *loads) RefreshAll(list *Due) {
	for part := range slices.Chunk(*list, MaxLoadMany) {
		c.refresh(slices.Clone(part))
	}
	*list = (*list)[:0]
}

// refresh reloads values in the background while they are served, several with one
// call of LoadMany. Their flights are ordinary ones: they void like any other when
// the key is written, and whoever misses the key meanwhile joins it.
func (c *loads) refresh(entries []*store.Entry) {
	c.Life.Go(func() {
		var b *loadBatch
		if len(entries) > 1 {
			b = c.newBatch(c.Life.Context())
		}
		flights := make([]*flight, 0, len(entries))
		for _, e := range entries {
			if f := c.beginRefresh(e, b); f != nil {
				flights = append(flights, f)
			}
		}
		c.Counts.Refreshes.Add(uint64(len(flights)))
		if b != nil {
			c.startBatch(b)
		}
		for _, f := range flights {
			<-f.done
		}
	})
}

// beginRefresh begins the load of a value that is to be refreshed. It returns nil if
// that cannot be now.
func (c *loads) beginRefresh(e *store.Entry, into *loadBatch) *flight {
	hash := ring.Hash(c.Seed, e.Key)
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	// A load beside a write could show what is written before all holders have
	// dropped the former value.
	if s.closed || s.reserved.isTaken(e.Key) || c.State.MayServe(hash, c.Clock.Now()) != nil {
		return nil
	}
	l := s.lanes.of(e.Key)
	if l.joinable() != nil || l.isFull() {
		return nil
	}
	f := newFlight(c.Life.Context(), s, hash, e.Key)
	f.refresh = e
	f.waiters = 1 // the refresh itself waits: it is not called off
	c.doLocked(s, hash, e.Key, c.beginLocked(l, f, into))
	return f
}
