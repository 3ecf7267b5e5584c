package replica

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// When the view changes, what is known of this member's own keys is carried over from the former
// one: some keys at a time, so that nobody waits long, and a key that somebody asks for at once. A
// view may come before that has ended. Then what was not carried over into the one in between is
// carried over from the one before.

// passage is what is to be carried over, and how far that is.
type passage struct {
	formers   []known             // the oldest first: it knew of all keys, and each later one of those that it names
	forgotten map[uint64]struct{} // keys that were carried over into the view, and whose notes have gone since
	at        store.Place         // where the walk through what is held stands
}

// known is what was known of a member's own keys in a former view.
type known struct {
	by        layout
	kept      func(hash uint64) bool // of a key that was not carried over into that view
	notes     map[uint64]*note
	due       []*note // of these, those to carry over
	forgotten map[uint64]struct{}
}

// maxFormers bounds the views from which there is something to carry over. If there are more, nothing
// that was known counts any more: keys are shown when all have told what they have.
const maxFormers = 8

// forgottenBytes is what a key takes in passage.forgotten.
const forgottenBytes = 20

// begin notes what was known in the view that ends.
func (p *passage) begin(k known) {
	p.formers = append(p.formers, k)
	p.forgotten, p.at = make(map[uint64]struct{}), store.Place{}
}

// former is how many notes there are of former views.
func (p *passage) former() (n int) {
	for i := range p.formers {
		n += len(p.formers[i].notes)
	}
	return n
}

// latest returns what was known last of a key, and by which of the formers. n is nil if its copies were
// where they should be: then it had no note, or one for a write that was under way.
func (p *passage) latest(hash uint64) (n *note, at int) {
	for at = len(p.formers) - 1; at > 0; at-- {
		k := &p.formers[at]
		if n = k.notes[hash]; n != nil {
			break
		}
		if _, ok := k.forgotten[hash]; ok {
			return nil, at
		}
	}
	if n = p.formers[at].notes[hash]; n != nil && !n.queued {
		n = nil
	}
	return n, at
}

// stayed returns those of some members of a former view that are in all since, and in the one by m.
func (p *passage) stayed(m *members, ids []string, at int) (list []who) {
	for _, w := range m.numbers(nil, ids) {
		id := m.view.Members[w]
		if !slices.ContainsFunc(p.formers[at+1:], func(k known) bool { return !slices.Contains(k.by.view.Members, id) }) {
			list = append(list, w)
		}
	}
	return list
}

// Carry goes on with what Adopt began, by so many keys, or some hundred more. It reports whether there are others.
func (c *notebook) Carry(most int) (more bool) {
	if !c.carries {
		return false
	}
	done := 0
	for i := range c.formers {
		k := &c.formers[i]
		for ; len(k.due) > 0 && done < most; done++ {
			hash := k.due[0].hash
			k.due = k.due[1:]
			c.carryOver(hash, c.cfg.Held.Peek(hash))
		}
	}
	for more = true; more && done < most; {
		c.at, more = c.cfg.Held.Walk(c.at, func(hash uint64, e *store.Entry) {
			done++
			c.carryOver(hash, e)
			if c.faults.OwnWord && !c.owns(hash) && !slices.Contains(c.view.Successors(hash, c.cfg.Copies), c.cfg.Self) {
				c.cfg.Held.Delete(hash)
			}
		})
	}
	if !more {
		c.carries = false
		c.passage = passage{}
	}
	return more
}

// reach carries a key over that somebody asks for.
func (c *notebook) reach(hash uint64) {
	if c.carries && !c.faults.PassBy {
		c.carryOver(hash, c.cfg.Held.Peek(hash))
	}
}

// carryOver makes what is known of a key of what was known in former views, unless that was done. e is what
// is held of it, or was until a moment ago; nil for nothing. What was not shown by now begins anew: with
// those that are gone the newest version may be.
func (c *notebook) carryOver(hash uint64, e *store.Entry) {
	if _, done := c.forgotten[hash]; done || !c.carries || c.notes[hash] != nil || !c.owns(hash) {
		return
	}
	former, at := c.latest(hash)
	kept := c.kept(hash) && (c.faults.KeepGained || !slices.ContainsFunc(c.formers[at+1:], func(k known) bool { return !k.kept(hash) }))
	n := &note{hash: hash, version: VersionOf(e), deleted: e != nil && e.Negative, hidden: true}
	switch {
	case former != nil && (former.hidden || !kept):
	case former != nil && former.version != store.Version{} && c.gone(former.version):
		return // others clear it, too
	case former != nil:
		ids := c.formers[at].by.view.Members
		n.hidden, n.version, n.deleted = false, former.version, former.deleted
		n.ending = former.deleted && e == nil // it was evicted, and others may have it
		n.has, n.may = c.passage.stayed(&c.members, idsOf(former.has, ids), at), c.passage.stayed(&c.members, idsOf(former.may, ids), at)
	case e == nil:
		return
	case kept:
		n.hidden = false
		n.has = c.passage.stayed(&c.members, c.formers[at].by.ideal(hash, c.cfg.Copies), at)
		if !n.deleted && equal(n.has, c.ideal(hash)) {
			return
		}
	}
	c.notes[hash] = n
	c.queue(n)
}

func idsOf(list []who, members []string) (ids []string) {
	for _, w := range list {
		ids = append(ids, members[w])
	}
	return ids
}
