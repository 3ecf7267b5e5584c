package replica

import "github.com/praveenduddu/cachemesh/internal/store"

// A condition is what a client's SetIf, Touch or Increment was decided by: what the key had, and
// what clients knew then.
type condition struct {
	view  *meshView
	seen  store.Version // zero: nothing
	floor store.Version
}

// condition has some writes made on a condition.
func (n *node) condition(hash uint64) *condition {
	if !n.w.conds || n.w.rnd.IntN(3) > 0 {
		return nil
	}
	n.read(hash)
	return &condition{n.view, n.value(hash), n.w.keys[hash].floor}
}

// value returns the version of the value that a member holds, zero for nothing.
func (n *node) value(hash uint64) (v store.Version) {
	if e := n.Peek(hash); e != nil && !e.Negative {
		v = VersionOf(e)
	}
	return v
}

// isMet reports whether the key has what it had, by the same view, as the owner looks before it installs.
func (c *condition) isMet(x *writing) bool {
	return c == nil || x.n.view == c.view && x.n.value(x.hash) == c.seen
}

// check fails if somebody was told meanwhile of another value.
func (c *condition) check(x *writing) {
	if c == nil {
		return
	}
	x.n.w.counts.conditions++
	if h := &x.n.w.keys[x.hash]; h.floor.After(c.floor) && (!h.deleted || c.seen != store.Version{}) {
		x.n.w.fail("%s writes %v of key %d on the condition of %v, after %v", x.n.id, VersionOf(x.entry), x.hash, c.seen, h.floor)
	}
}

// isShown reports whether a member shows a key, which this does not have carried over.
func (n *node) isShown(hash uint64) bool {
	c := n.core
	if n.dead || n.apart || n.view == nil || n.w.now >= n.right || !c.owns(hash) || !c.kept(hash) && !c.gained() {
		return false
	}
	if m := c.notes[hash]; m != nil {
		return !m.hidden
	}
	if _, done := c.forgotten[hash]; done || !c.carries {
		return true
	}
	former, at := c.latest(hash)
	for _, k := range c.formers[at+1:] {
		if !k.kept(hash) {
			return false
		}
	}
	return c.kept(hash) && (former == nil || !former.hidden)
}
