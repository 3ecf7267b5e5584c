package replica

import "slices"

// Apart is the least epoch of a member that keeps no copies: it has none, and takes none. The
// next successors have them in its place.
const Apart = 1 << 62

// newPart parts the epochs of one Core from those of the next of a group that is made at a member.
const newPart = 1 << 32

// EpochOf returns a Config.Epoch for the so manieth Core of a member.
func EpochOf(made uint32) uint64 { return uint64(made%(1<<29)) * newPart }

// A layout says, by one view, who shall have copies.
type layout struct {
	view  View
	apart []string // IDs of members that keep none
}

// layout returns the one by now.
func (c *members) layout() layout {
	p := layout{view: c.view}
	if c.apart > 0 {
		for i := range c.peers {
			if c.peers[i].apart {
				p.apart = append(p.apart, c.view.Members[i])
			}
		}
	}
	return p
}

// ideal returns those that shall have copies of a key, of so many in all, its owner aside.
func (p layout) ideal(hash uint64, copies int) []string {
	list := rest(p.view.Successors(hash, copies+len(p.apart)))
	if len(p.apart) == 0 {
		return list
	}
	list = slices.DeleteFunc(list, func(id string) bool { return slices.Contains(p.apart, id) })
	return list[:min(len(list), copies-1)]
}

func (c *members) setApart(w who, apart bool) {
	c.peers[w].apart = apart
	switch {
	case !c.peers[w].stays:
	case apart:
		c.apart++
	default:
		c.apart--
	}
}

// Untold says that another member has a new epoch: it keeps copies since a moment ago, or
// does not any more. It is asked for its digest.
func (c *members) Untold(id string) {
	if w, ok := c.ids[id]; ok {
		c.peers[w].told, c.peers[w].silent, c.peers[w].anew = false, 0, true
	}
}

// Asks says that a member is asked for its digest now. One that it was asked for before it was Untold is of
// what it kept, or did not keep, before.
func (c *members) Asks(id string) {
	if w, ok := c.ids[id]; ok {
		c.peers[w].anew = false
	}
}

// askAgain has all others asked for their digests once more.
func (c *members) askAgain() {
	for i := range c.peers {
		if c.view.Members[i] != c.cfg.Self {
			c.peers[i].in, c.peers[i].anew = false, true
		}
	}
}

// samePart reports whether a member has the same part of the group by now as when it had an epoch.
func (c *members) samePart(w who, epoch uint64) bool {
	return c.peers[w].epoch/newPart == epoch/newPart
}

// TooFew reports whether fewer members keep copies than shall have each value.
func (c *members) TooFew() bool { return c.enough(nil) < c.need(nil) }
