// Package hitratio measures how many reads of a trace a cache of a given
// capacity answers.
package hitratio

import (
	"container/list"
	"context"
	"strconv"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/maypok86/otter/v2"

	"github.com/praveenduddu/cachemesh"
)

// valueSize is the length of all values.
const valueSize = 128

// A cache reads through: Get reports whether the key was in it, and puts it
// there if it was not.
type cache interface {
	Get(key string) (hit bool, err error)
	Close()
}

// A Policy opens a cache that holds a number of entries.
type Policy struct {
	Name string
	open func(entries int) (cache, error)
}

// Policies are the caches that are compared.
func Policies() []Policy {
	return []Policy{
		{"CacheMesh", openMesh}, {"otter v2", openOtter}, {"LRU", openLRU}, {"ristretto", openRistretto},
	}
}

// meshCache is a CacheMesh of one member. Its budget is in bytes, all
// bookkeeping included; it gets the one with which it holds the wanted number
// of entries when it is full.
type meshCache struct {
	node  *cachemesh.Node
	group *cachemesh.Group[[]byte]
	loads int // written by loads, which the one reader waits for
}

// firstGuess is about what an entry costs.
const firstGuess = valueSize + 160

func openMesh(entries int) (cache, error) {
	budget := int64(entries * firstGuess)
	for range 2 {
		held, err := heldBy(budget, entries)
		if err != nil {
			return nil, err
		}
		budget = budget * int64(entries) / int64(max(held, 1))
	}
	return newMeshCache(budget)
}

// heldBy returns how many entries a cache with a budget holds, after three times
// as many as expected were read once.
func heldBy(budget int64, expected int) (int, error) {
	c, err := newMeshCache(budget)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for i := range 3 * expected {
		if _, err := c.Get(traceKey(uint64(i))); err != nil {
			return 0, err
		}
	}
	return c.Len(), nil
}

func newMeshCache(maxBytes int64) (*meshCache, error) {
	node, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		return nil, err
	}
	c := &meshCache{node: node}
	load := func(context.Context, string) ([]byte, error) {
		c.loads++
		return make([]byte, valueSize), nil
	}
	opts := cachemesh.GroupOptions[[]byte]{MaxBytes: maxBytes, NoHotCopies: true}
	if c.group, err = cachemesh.NewGroup(node, "trace", load, opts); err == nil {
		err = node.Start()
	}
	if err != nil {
		node.Close()
		return nil, err
	}
	return c, nil
}

func (c *meshCache) Get(key string) (bool, error) {
	before := c.loads
	_, err := c.group.Get(context.Background(), key)
	return c.loads == before, err
}

func (c *meshCache) Len() int { return int(c.group.Stats().Entries) }

func (c *meshCache) Close() { c.node.Close() }

type otterCache struct{ cache *otter.Cache[string, []byte] }

func openOtter(entries int) (cache, error) {
	c, err := otter.New(&otter.Options[string, []byte]{
		MaximumSize: entries,
		Executor:    func(f func()) { f() }, // in step with the trace, not some time later
	})
	return otterCache{c}, err
}

func (c otterCache) Get(key string) (bool, error) {
	if _, hit := c.cache.GetIfPresent(key); hit {
		return true, nil
	}
	c.cache.Set(key, make([]byte, valueSize))
	return false, nil
}

func (c otterCache) Len() int { return c.cache.EstimatedSize() }

func (c otterCache) Close() { c.cache.StopAllGoroutines() }

type ristrettoCache struct {
	cache *ristretto.Cache[string, []byte]
}

func openRistretto(entries int) (cache, error) {
	c, err := ristretto.NewCache(&ristretto.Config[string, []byte]{
		NumCounters: 10 * int64(entries), MaxCost: int64(entries), BufferItems: 64, IgnoreInternalCost: true,
	})
	return ristrettoCache{c}, err
}

func (c ristrettoCache) Get(key string) (bool, error) {
	if _, hit := c.cache.Get(key); hit {
		return true, nil
	}
	c.cache.Set(key, make([]byte, valueSize), 1)
	c.cache.Wait()
	return false, nil
}

func (c ristrettoCache) Close() { c.cache.Close() }

// lru forgets what was read the longest time ago.
type lru struct {
	capacity int
	order    *list.List // of keys, most recently read first
	entries  map[string]*list.Element
}

func openLRU(entries int) (cache, error) {
	return &lru{entries, list.New(), make(map[string]*list.Element)}, nil
}

func (c *lru) Get(key string) (bool, error) {
	if e := c.entries[key]; e != nil {
		c.order.MoveToFront(e)
		return true, nil
	}
	c.entries[key] = c.order.PushFront(key)
	if c.order.Len() > c.capacity {
		delete(c.entries, c.order.Remove(c.order.Back()).(string))
	}
	return false, nil
}

func (c *lru) Close() {}

func traceKey(id uint64) string { return "key-" + strconv.FormatUint(id, 10) }
