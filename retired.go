package cachemesh

import (
	"context"
	"maps"
	"slices"

	"github.com/praveenduddu/cachemesh/internal/ring"
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
	if _, known := r.groups[c.name]; !known && len(r.groups) >= maxRetired {
		return false
	}
	r.groups[c.name] = c
	return true
}

// forgetRetiredLocked forgets the closed groups that have left nothing any more.
func (n *Node) forgetRetiredLocked() {
	maps.DeleteFunc(n.retired.groups, func(name string, c *groupCore) bool {
		return n.parked.groups[name] == nil && !c.owed.any()
	})
}

// keepValues parks what a group held that is cut with that: whoever deletes a key from
// then on reaches what is parked. It returns how many values had no room.
func (n *Node) keepValues(c *groupCore, held []parcel) (lost int) {
	now := n.now()
	var lists []parkedList
	for bytes := 0; len(held) > 0; {
		body, count := packParcels(held, now)
		if bytes += len(body) + parkedListCost; bytes > parkedBytes {
			break
		}
		if list, ok := listOf(body, now); ok && list.values > 0 {
			lists = append(lists, list)
		}
		held = held[count:]
	}
	for _, p := range held {
		if p.isValue(now) {
			lost++
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range lists {
		if !n.retireLocked(c) || !n.parked.addLocked(c.name, l) {
			lost += l.values
		}
	}
	c.closure.cut.Store(true)
	return lost
}

// keepAgain takes back values of a closed group that were on their way to another member
// and are this one's again.
func (n *Node) keepAgain(c *groupCore, body []byte) bool {
	n.mu.Lock()
	if h := n.group(c.name); h != nil {
		n.mu.Unlock()
		_, err := h.merge(n.closeCtx, body, 0, nil)
		return err == nil
	}
	defer n.mu.Unlock()
	list, ok := listOf(body, n.now())
	return ok && (list.values == 0 || n.retireLocked(c) && n.parked.addLocked(c.name, list))
}

// dropLostKept drops what is kept of closed groups and does not belong to this member in
// v. It returns that, to be handed over.
func (n *Node) dropLostKept(v *view) (parcels []parcel) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, c := range n.retired.groups {
		g := n.parked.groups[name]
		if g == nil || c.loader != nil {
			continue
		}
		for i := range g.lists {
			moved, freed := c.split(v, &g.lists[i], g.deleted)
			parcels = append(parcels, moved...)
			g.bytes -= freed
			n.parked.bytes -= freed
		}
	}
	return parcels
}

// split takes out of a list what this member does not own in v. It returns that, but for
// keys that were deleted, and how much shorter the list is.
func (c *groupCore) split(v *view, l *parkedList, deleted map[string]struct{}) (moved []parcel, freed int) {
	var kept []byte
	values, age := 0, c.node.now()-l.arrived
	for list := l.body; len(list) > 0; {
		p, rest, ok := cutParcel(list)
		if !ok {
			break // it was looked through when it came
		}
		raw := list[:len(list)-len(rest)]
		list = rest
		hash := ring.Hash(c.seed, string(p.key))
		if v.mine(hash) {
			kept = append(kept, raw...)
			values++
			continue
		}
		if _, gone := deleted[string(p.key)]; gone {
			continue
		}
		e := c.unpackParcel(p)
		if e.Expires != 0 {
			e.Expires = max(e.Expires-age, 1)
		}
		moved = append(moved, parcel{c, hash, e})
	}
	freed = len(l.body) - len(kept)
	if freed > 0 {
		l.body, l.values = kept, values
	}
	return moved, freed
}

// keptValues returns how many values are kept of closed groups.
func (n *Node) keptValues() (values int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.retired.groups {
		if g := n.parked.groups[name]; g != nil {
			values += g.values()
		}
	}
	return values
}

// removeGroup frees the name of a group that is cut.
func (n *Node) removeGroup(c *groupCore) error {
	for {
		n.mu.Lock()
		owes := c.loader != nil && c.owed.any()
		if !owes || n.retireLocked(c) {
			n.groups.removeLocked(c)
			n.mu.Unlock()
			return nil
		}
		n.mu.Unlock()
		if err := n.pause(context.Background(), retryCeiling); err != nil {
			return err
		}
	}
}

// inheritLocked makes a group that is registered owe what the former one of its name
// owed.
func (n *Node) inheritLocked(c *groupCore) {
	former := n.retired.groups[c.name]
	if former == nil || former.loader != nil && c.loader == nil {
		return
	}
	delete(n.retired.groups, c.name)
	if keys, all := former.owed.take(); all {
		c.oweAll()
	} else {
		for key := range keys {
			c.owe(key)
		}
	}
}

// debtor returns the group that owes what could not be paid for c.
func (c *groupCore) debtor() *groupCore {
	n := c.node
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.groups.find(c.name)
	if h == nil || h.loader == nil {
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
