package replica

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// heardEpoch notes the epoch that a member has. If another part of the group gave it than
// the one before, that one's copies are gone.
func (c *notebook) heardEpoch(w who, epoch uint64) {
	if c.peers[w].epoch != 0 && !c.samePart(w, epoch) {
		c.regroup(w, true)
	}
	c.regroup(w, epoch >= Apart)
	c.peers[w].epoch, c.peers[w].told, c.peers[w].silent = epoch, !c.peers[w].anew || c.faults.Unheard, 0
}

// regroup notes that a member keeps copies by now, or does not any more. Of the keys for which
// it should, or should not now, others have copies that they need not have, or too few do.
func (c *notebook) regroup(w who, apart bool) {
	if c.peers[w].apart == apart {
		return
	}
	for c.Carry(maxLooks) { // of what former views knew of it, too
	}
	id, reach := c.view.Members[w], c.cfg.Copies+c.apart+1
	c.cfg.Held.Range(func(hash uint64, _ *store.Entry) bool {
		if c.owns(hash) && c.notes[hash] == nil && slices.Contains(c.view.Successors(hash, reach), id) {
			c.notes[hash] = c.implied(hash)
		}
		return true
	})
	c.setApart(w, apart)
	again := false
	for _, n := range c.notes {
		if apart {
			n.has, n.may = without(n.has, w), without(n.may, w)
			again = c.restart(n) || again
		}
		n.unable = without(n.unable, w)
		c.queue(n)
	}
	if again {
		c.askAgain()
	}
}

// restart begins anew with a key whose newest value nobody has any more, as if who had it had crashed: what is newest
// of what others have all must tell again. It reports false where there is no need to.
func (c *notebook) restart(n *note) bool {
	e := c.cfg.Held.Peek(n.hash)
	if !n.hidden || len(n.has) > 0 || VersionOf(e) == n.version || c.faults.TraceOfGone {
		return false
	}
	if n.orphan = n.writes > 0; n.orphan {
		return false // the write may come above it; else look comes back to it
	}
	n.version, n.deleted, n.ending = VersionOf(e), e != nil && e.Negative, false
	return true
}
