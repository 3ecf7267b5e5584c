// Package hitratio measures how many reads of a trace a cache of a given
// capacity answers.
package hitratio

import (
	"container/list"
	"context"
	"fmt"
	"strconv"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/maypok86/otter/v2"

	"github.com/praveenduddu/cachemesh"
)

// valueSize is the length of all values.
const valueSize = 64

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
// bookkeeping included; it gets what the wanted number of entries costs.
type meshCache struct {
	node  *cachemesh.Node
	group *cachemesh.Group[[]byte]
	loads int // by the one caller's goroutine's loads, which do not overlap
}

func openMesh(entries int) (cache, error) {
	cost, err := entryCost()
	if err != nil {
		return nil, err
	}
	return newMeshCache(int64(entries) * cost)
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

// entryCost returns what an entry with a key of usual length costs.
func entryCost() (int64, error) {
	const sample = 1000
	c, err := newMeshCache(64 << 20)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for i := range sample {
		if _, err := c.Get(traceKey(uint64(100_000 + i))); err != nil {
			return 0, err
		}
	}
	s := c.group.Stats()
	if s.Entries == 0 {
		return 0, fmt.Errorf("nothing was stored: %+v", s)
	}
	return s.Bytes / s.Entries, nil
}

func (c *meshCache) Get(key string) (bool, error) {
	before := c.loads
	_, err := c.group.Get(context.Background(), key)
	return c.loads == before, err
}

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
