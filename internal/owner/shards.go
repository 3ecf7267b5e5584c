package owner

import (
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// shards are those of a part. They are made before the first load or write.
type shards struct {
	scatter store.Scatter           // from hashes to shards
	table   atomic.Pointer[[]shard] // nil until they are made
	count   int                     // a power of two
}

// init prepares shards for a part of so many bytes.
func (c *shards) init(maxBytes int64) { c.scatter, c.count = store.NewScatter(), shardsFor(maxBytes) }

// made returns the shards, none before the first load or write. Nothing can be in them
// that began before they were made, so whoever changes the view or the era, and then
// finds none, need not look: what begins in them sees the change.
func (c *shards) made() []shard {
	if p := c.table.Load(); p != nil {
		return *p
	}
	return nil
}

// allShards returns the shards, and makes them first if need be.
func (c *shards) allShards() []shard {
	if p := c.table.Load(); p != nil {
		return *p
	}
	c.table.CompareAndSwap(nil, newShards(c.count))
	return *c.table.Load()
}

// shard returns the books for a key. Whoever chooses keys can choose bits of their
// hashes, but not how these are scattered.
func (c *shards) shard(hash uint64) *shard {
	all := c.allShards()
	return &all[c.index(hash, len(all))]
}

// index returns which of n shards has a key.
func (c *shards) index(hash uint64, n int) uint64 { return c.scatter.Of(hash) & uint64(n-1) }

// eachShard calls f for each shard that was made, under its lock.
func (c *shards) eachShard(f func(s *shard)) {
	shards := c.made()
	for i := range shards {
		s := &shards[i]
		s.mu.Lock()
		f(s)
		s.mu.Unlock()
	}
}

// Release gives the shards of a part back that was closed.
func (c *shards) Release() { c.table.Store(closedShards) }

// closeUnmade makes sure that shards that were not made never are.
func (c *shards) closeUnmade() { c.table.CompareAndSwap(nil, closedShards) }

// ShardsCost is what its shards take while nothing is in them.
func (c *shards) ShardsCost() int64 { return int64(c.count) * shardBytes }
