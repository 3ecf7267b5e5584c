package cachemesh

import (
	"context"
	"maps"
	"slices"

	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// retired are groups that were closed and left something: values that nobody could load
// again, which are parked until a group of the name is registered, or keys that are owed
// to the majority. Guarded by Node.mu.
type retired struct{ groups map[string]*groupCore }

// maxRetired bounds them. Values of a further one are lost; one that owes waits.
const maxRetired = parkedGroups

// retireLocked remembers a closed group. It reports false if there are too many.
func (n *Node) retireLocked(c *groupCore) bool {
	r := &n.retired
	if r.groups == nil {
		r.groups = make(map[string]*groupCore)
	}
	if len(r.groups) >= maxRetired {
		n.forgetRetiredLocked()
	}
	if _, known := r.groups[c.Name]; !known && len(r.groups) >= maxRetired {
		return false
	}
	r.groups[c.Name] = c
	return true
}

// forgetRetiredLocked forgets the closed groups that have left nothing any more.
func (n *Node) forgetRetiredLocked() {
	maps.DeleteFunc(n.retired.groups, func(name string, c *groupCore) bool {
		return n.parked.groups[name] == nil && !c.Owed.Any()
	})
}

// keepValues parks what a group held that is cut with that: whoever deletes a key from
// then on reaches what is parked. It returns how many values had no room.
func (n *Node) keepValues(c *groupCore, held []parcel) (lost int) {
	now, bytes := n.clock.Now(), 0
	var lists []parkedList
	for some := range wire.Cut(held, func(it parcel) int { return len(it.e.Key) + len(it.e.Data) + parcelOverhead }) {
		body, values := packParcels(some, now)
		if bytes += len(body) + parkedListCost; bytes > n.parked.most {
			lost += values
		} else if list, ok := listOf(body, now); ok && len(body) > 0 {
			lists = append(lists, list)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range lists {
		if !n.retireLocked(c) || !n.parked.addLocked(c.Name, l) {
			lost += l.values
		}
	}
	c.SetCut()
	return lost
}

// removeGroup frees the name of a group that is cut.
func (n *Node) removeGroup(c *groupCore) error {
	for {
		n.mu.Lock()
		owes := c.Origin.Load != nil && c.Owed.Any()
		if !owes || n.retireLocked(c) {
			n.groups.removeLocked(c)
			n.mu.Unlock()
			return nil
		}
		n.mu.Unlock()
		if err := n.life.Pause(context.Background(), route.RetryCeiling); err != nil {
			return err
		}
	}
}

// inheritLocked makes a group that is registered owe what the former one of its name
// owed.
func (n *Node) inheritLocked(c *groupCore) {
	former := n.retired.groups[c.Name]
	if former == nil || former.Origin.Load != nil && c.Origin.Load == nil {
		return
	}
	delete(n.retired.groups, c.Name)
	if keys, all := former.Owed.Take(); all {
		c.OweAll()
	} else {
		for key := range keys {
			c.Owe(key)
		}
	}
}

// debtor returns the group that owes what could not be paid for c.
func (c *groupCore) debtor() *groupCore {
	n := c.node
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.groups.find(c.Name)
	if h == nil || h.Origin.Load == nil {
		n.retireLocked(c)
		return c
	}
	return h
}

// retiredGroups returns the closed groups that have left something.
func (n *Node) retiredGroups() []*groupCore {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.forgetRetiredLocked()
	return slices.Collect(maps.Values(n.retired.groups))
}
