package copies

import (
	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// Adopt makes v the view by which copies are held. The node's State has it.
func (c *guarded) Adopt(v *view.View) { c.adopt(v, false) }

// Empty says that others went on without this node in its view: what it owned before proves
// nothing.
func (c *guarded) Empty(v *view.View) {
	if c.View() == v {
		c.adopt(v, true)
	}
}

func (c *guarded) adopt(v *view.View, emptied bool) {
	c.lockLong()
	defer c.unlockLong()
	if c.closed {
		return
	}
	if c.view != nil && c.view.Settled() {
		c.sound = c.core.Ready()
	}
	kept := v.Kept
	if c.view == nil || !c.sound || emptied {
		kept, c.sound = nil, false
	}
	c.view = v
	c.shown.Add(1)
	rv := replica.View{ID: v.ID, Owner: v.OwnerID, Kept: kept, Missing: c.State.Tracing(), Outdated: c.wasAwayLocked()}
	for _, m := range v.Members {
		rv.Members = append(rv.Members, m.ID)
	}
	rv.Successors = successorsIn(v)
	c.core.Adopt(rv)
	c.core.Carry(carryStep)
	c.kickLocked()
}

// carryStep is how many keys are looked at with mu held, or some hundred more, when the view has changed.
const carryStep = 4096

// successorsIn returns View.Successors of a view. It is called with mu held.
func successorsIn(v *view.View) func(hash uint64, n int) []string {
	var list []int
	var ids []string
	return func(hash uint64, n int) []string {
		list, ids = v.Ring.Successors(list[:0], hash, n), ids[:0]
		for _, at := range list {
			ids = append(ids, v.Owners[at].ID)
		}
		return ids
	}
}

// wasAwayLocked reports whether this member was without a majority for longer than others
// remember what was deleted.
func (c *guarded) wasAwayLocked() bool {
	now := c.Clock.Now()
	away := c.apart != 0 && now-c.apart >= int64(view.TraceFor)
	switch {
	case !c.State.Limited():
		c.apart = 0
	case c.apart == 0:
		c.apart = max(now, 1)
	}
	return away
}

// Own says that nobody outside a view can act for the keys of this member any more.
func (c *guarded) Own(v *view.View) {
	c.lock()
	defer c.unlock()
	if c.view == v {
		c.core.Own()
		c.kickLocked()
	}
}
