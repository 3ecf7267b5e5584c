package replica

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// Evicted says that a value, no trace, is not held here any more because there was no room
// for it. What its owner has evicted others need not hold; and it must not come back.
func (c *notebook) Evicted(hash uint64, v store.Version) {
	c.stats.Evicted++
	if !c.faults.PassBy {
		c.carryOver(hash, &store.Entry{Version: v})
	}
	if !c.Shows(hash) {
		return
	}
	n := c.notes[hash]
	if n == nil {
		n = &note{hash: hash, version: v, has: slices.Clone(c.ideal(hash))}
		c.notes[hash] = n
	}
	if n.version == v {
		n.deleted, n.ending = true, n.writes == 0
	}
	c.queue(n)
}

// Leaving returns what this member evicted and others may have yet; of a list, if that is not
// nil, and of all else.
func (c *notebook) Leaving(of []Line) (list []Line) {
	isLeaving := func(n *note) bool { return n != nil && n.ending && c.cfg.Held.Peek(n.hash) == nil }
	if of != nil {
		return slices.DeleteFunc(of, func(l Line) bool {
			n := c.notes[l.Hash]
			return !isLeaving(n) || n.version != l.Version
		})
	}
	for _, n := range c.notes {
		if isLeaving(n) {
			list = append(list, Line{Hash: n.hash, Version: n.version})
		}
	}
	return list
}

// forgo gives up a value of this member's own that it cannot hold: as if it were deleted, so that it,
// and what was before it, does not come back.
func (c *notebook) forgo(n *note) {
	c.stats.Lost++
	e := c.cfg.Trace(n.hash, store.Version{})
	if !c.cfg.Held.Set(n.hash, e) {
		return
	}
	for _, w := range n.has {
		n.may = with(n.may, w)
	}
	n.has, n.unable = nil, nil
	n.version, n.deleted, n.ending = e.Version, true, false
}
