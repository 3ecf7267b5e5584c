package replica

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// Shows reports whether this member may answer for a key by what it holds: it owns it, and
// what it holds is the newest and has its copies. The right to act is not looked at. Where
// that is all that it waits for, Want makes it come sooner.
func (c *notebook) Shows(hash uint64) bool {
	if !c.owns(hash) || !c.kept(hash) && !c.gained() {
		return false
	}
	c.reach(hash)
	n := c.notes[hash]
	if n != nil {
		c.show(n)
	}
	return n == nil || !n.hidden
}

// Ends reports whether a value of a version that goes here ends: this member owns the key, and
// knows of nothing newer that it has not.
func (c *notebook) Ends(hash uint64, v store.Version) bool {
	if !c.owns(hash) || !c.kept(hash) && !c.gained() {
		return false
	}
	c.reach(hash)
	n := c.notes[hash]
	return n == nil || !n.version.After(v)
}

// show shows a key if this member has the newest version and so have as many as should.
// Of a key of which nobody has anything there is nothing to show.
func (c *notebook) show(n *note) {
	if !n.hidden || n.writes > 0 || !c.Ready() || !c.kept(n.hash) && !c.gained() {
		return
	}
	have := VersionOf(c.cfg.Held.Peek(n.hash)) == n.version
	if have && (c.faults.ShowFirst || n.version == store.Version{} || c.count(n) >= c.enough(n.unable) && !c.mayGoBack(n)) {
		n.hidden = false
	}
}

// implied is the note of a key that has none.
func (c *notebook) implied(hash uint64) *note {
	n := &note{hash: hash, hidden: !c.Shows(hash)}
	n.may = n.rooms[1][:0]
	if e := c.cfg.Held.Peek(hash); e != nil {
		n.version, n.deleted, n.has = VersionOf(e), e.Negative, append(n.rooms[0][:0], c.ideal(hash)...)
	}
	return n
}

// noteOf returns the note of a key, which is made if there is none.
func (c *notebook) noteOf(hash uint64) *note {
	c.reach(hash)
	n := c.notes[hash]
	if n == nil {
		n = c.implied(hash)
		c.notes[hash] = n
	}
	return n
}

// learn takes in what another member has of a key.
func (c *notebook) learn(l Line, w who) {
	if !c.owns(l.Hash) || c.gone(l.Version) {
		return
	}
	c.reach(l.Hash)
	n := c.notes[l.Hash]
	if n == nil {
		n = c.implied(l.Hash)
		if l.Version == n.version && slices.Contains(n.has, w) {
			return
		}
		c.notes[l.Hash] = n
	}
	switch {
	case l.Version.After(n.version):
		for _, x := range n.has {
			n.may = with(n.may, x)
		}
		n.has, n.may = []who{w}, without(n.may, w)
		n.version, n.deleted, n.hidden, n.ending, n.unable = l.Version, l.Deleted, true, false, nil
		c.cfg.Hide(n.hash)
	case l.Version == n.version:
		n.has, n.may = with(n.has, w), without(n.may, w)
	case !slices.Contains(n.has, w): // else the line is older than what it was sent since
		n.may = with(n.may, w)
	}
	c.queue(n)
}

// settle removes the note of a key whose copies are as they should be. The trace of a
// Delete is dropped then, unless somebody may have something older who is missing, or
// has not told yet.
func (c *notebook) settle(n *note) bool {
	c.show(n)
	if n.writes > 0 || n.hidden || len(n.sent) > 0 {
		return false
	}
	e := c.cfg.Held.Peek(n.hash)
	switch {
	case e == nil && n.ending && (len(n.has) > 0 || !c.Ready() && !c.faults.DropFirst):
		return false
	case e == nil && len(n.may) > 0: // it expired, or nobody has it, and something older must not come back
		c.cfg.Held.Set(n.hash, c.cfg.Trace(n.hash, n.version))
		n.deleted, n.ending = true, false
		return false
	case e == nil: // it expired, as its copies do
	case n.ending && len(n.has) == 0:
		c.cfg.Held.Delete(n.hash)
	case n.deleted:
		whole := n.ending || equal(n.has, c.best(n)) // some have dropped it already, and need it no more
		clean := len(n.may) == 0 && whole || c.faults.ShortTraces && c.count(n) >= c.enough(n.unable)
		n.ending = clean && c.Ready() && (!c.view.Missing || c.faults.ForgetMissing)
		if !n.ending || len(n.has) > 0 {
			c.assess(n)
			return false
		}
		c.cfg.Held.Delete(n.hash) // nobody else has it
	case len(n.may) > 0 || VersionOf(e) != n.version || !equal(n.has, c.ideal(n.hash)):
		return false
	}
	c.forget(n)
	return true
}

// look sees whether a note is needed, and has it looked at again if it is.
func (c *notebook) look(n *note) {
	if n.orphan && n.writes == 0 && !c.faults.LeaveWritten {
		if n.orphan = false; c.restart(n) {
			c.askAgain()
		}
	}
	if n.writes == 0 && c.settle(n) {
		return
	}
	if c.notes[n.hash] == n {
		c.queue(n)
		c.hurry(n)
	}
}
