package cachemesh

import (
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/serve"
)

// registry is a node's groups. It is read without a lock, on every call of a peer; Node.mu
// guards changing it. Adding one costs the same however many there are.
type registry struct {
	list  atomic.Pointer[[]*groupCore]  // in the order of registration; nil: none
	table atomic.Pointer[[]groupBucket] // a power of two of them; nil: none
}

// A groupBucket is the groups whose names' hashes share their last bits.
type groupBucket struct{ first atomic.Pointer[registered] }

// registered is a link of a bucket. It does not change.
type registered struct {
	core *groupCore
	next *registered
}

// all returns the groups. The slice is read-only.
func (r *registry) all() []*groupCore {
	if list := r.list.Load(); list != nil {
		return *list
	}
	return nil
}

// find returns the group of a name that may alias a buffer, nil if there is none.
func (r *registry) find(name string) *groupCore {
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

func bucketOf(table []groupBucket, name string) *groupBucket {
	return &table[ring.Hash(0, name)&uint64(len(table)-1)]
}

// addLocked adds a group whose name none has.
func (r *registry) addLocked(c *groupCore) {
	list := append(r.all(), c) // whoever reads the former list does not look past its end
	r.list.Store(&list)
	if table := r.table.Load(); table != nil && len(list) <= len(*table) {
		link(*table, c)
		return
	}
	table := make([]groupBucket, 2*max(ceilPower(len(list)), 8))
	for _, c := range list {
		link(table, c)
	}
	r.table.Store(&table)
}

// removeLocked removes a group.
func (r *registry) removeLocked(c *groupCore) {
	list := slices.DeleteFunc(slices.Clone(r.all()), func(other *groupCore) bool { return other == c })
	r.list.Store(&list)
	b := bucketOf(*r.table.Load(), c.Name)
	var kept *registered
	for at := b.first.Load(); at != nil; at = at.next {
		if at.core != c {
			kept = &registered{at.core, kept}
		}
	}
	b.first.Store(kept)
}

func link(table []groupBucket, c *groupCore) {
	b := bucketOf(table, c.Name)
	b.first.Store(&registered{c, b.first.Load()})
}

// ceilPower returns the least power of two that is not less than n.
func ceilPower(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// A groupCore is a group without its type: it decides who answers a key and
// asks them. Values are entries: bytes, and beside them the decoded value.
type groupCore struct {
	route.Router
	node    *Node
	server  serve.Server
	closure closure
	uses    uses
}

// reserved is what a group's core takes of MaxBytes.
func (c *groupCore) reserved() int64 {
	return int64(unsafe.Sizeof(*c)) + c.ShardsCost()
}
