package groups

import (
	"slices"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/ring"
)

// table is a node's groups. It is read without a lock, on every call of a peer; Registry.mu
// guards changing it. Adding one costs the same however many there are.
type table struct {
	list  atomic.Pointer[[]*Core]  // in the order of registration; nil: none
	table atomic.Pointer[[]bucket] // a power of two of them; nil: none
}

// A bucket is the groups whose names' hashes share their last bits.
type bucket struct{ first atomic.Pointer[link] }

// A link of a bucket does not change.
type link struct {
	core *Core
	next *link
}

// all returns the groups. The slice is read-only.
func (r *table) all() []*Core {
	if list := r.list.Load(); list != nil {
		return *list
	}
	return nil
}

// find returns the group of a name that may alias a buffer, nil if there is none.
func (r *table) find(name string) *Core {
	table := r.table.Load()
	if table == nil {
		return nil
	}
	for at := bucketOf(*table, name).first.Load(); at != nil; at = at.next {
		if at.core.Name == name {
			return at.core
		}
	}
	return nil
}

// open returns the group of a name that may alias a buffer, nil if there is none that
// is open.
func (r *table) open(name string) *Core {
	if c := r.find(name); c != nil && !c.IsCut() {
		return c
	}
	return nil
}

func bucketOf(table []bucket, name string) *bucket {
	return &table[ring.Hash(0, name)&uint64(len(table)-1)]
}

// addLocked adds a group whose name none has.
func (r *table) addLocked(c *Core) {
	list := append(r.all(), c) // whoever reads the former list does not look past its end
	r.list.Store(&list)
	if table := r.table.Load(); table != nil && len(list) <= len(*table) {
		chain(*table, c)
		return
	}
	table := make([]bucket, 2*max(ceilPower(len(list)), 8))
	for _, c := range list {
		chain(table, c)
	}
	r.table.Store(&table)
}

// removeLocked removes a group.
func (r *table) removeLocked(c *Core) {
	list := slices.DeleteFunc(slices.Clone(r.all()), func(other *Core) bool { return other == c })
	r.list.Store(&list)
	b := bucketOf(*r.table.Load(), c.Name)
	var kept *link
	for at := b.first.Load(); at != nil; at = at.next {
		if at.core != c {
			kept = &link{at.core, kept}
		}
	}
	b.first.Store(kept)
}

func chain(table []bucket, c *Core) {
	b := bucketOf(table, c.Name)
	b.first.Store(&link{c, b.first.Load()})
}

// ceilPower returns the least power of two that is not less than n.
func ceilPower(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}
