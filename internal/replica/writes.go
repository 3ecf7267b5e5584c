package replica

import (
	"errors"
	"slices"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// ErrHidden means that this member may not write a key yet, or not any more: it does not
// own it, or it does not show it, or it has not heard of the others in this view.
var ErrHidden = errors.New("the copies of the key are not known yet")

// writes are those of this member's own keys.
type writes struct{ *notebook }

// Begin begins a write of what must have a version above all that this member saw. It must
// end with Install or Abandon. Its error is ErrHidden.
func (c *writes) Begin(hash uint64, e *store.Entry) (*Write, error) {
	if !c.Shows(hash) {
		return nil, ErrHidden
	}
	for _, w := range c.ideal(hash) {
		if !c.peers[w].told && c.peers[w].silent == 0 {
			return nil, ErrHidden
		}
	}
	n := c.noteOf(hash)
	n.writes++
	n.ending = false
	return newWrite(hash, e, c.epoch), nil
}

// Nothing reports whether a Delete of a key need not be written: nobody can have anything.
func (c *writes) Nothing(hash uint64) bool {
	return c.Shows(hash) && c.Ready() && !c.view.Missing && c.notes[hash] == nil && c.cfg.Held.Peek(hash) == nil
}

// Next returns to whom a write is to be sent now, and how far it is. It is called until it
// says something other than Waiting: at first, and after each answer. The requests are read
// before it is called again.
func (c *writes) Next(w *Write, now int64) ([]Send, State) {
	if w.stopped || w.epoch != c.epoch {
		return nil, Stopped
	}
	w.outdo(c.cleared)
	w.outdo(VersionOf(c.cfg.Held.Peek(w.hash)))
	if n := c.notes[w.hash]; n != nil {
		w.outdo(n.version)
	}
	if w.newest == VersionOf(w.entry) || w.newest.After(VersionOf(w.entry)) {
		return nil, Outdone
	}
	c.leaveOut(w)
	need := c.need(w.Unable())
	switch {
	case c.faults.NilAlone:
		return nil, Enough
	case 1+len(w.has) >= need:
		return c.dropOlder(w, now)
	case c.enough(w.Unable()) >= need:
	case w.unable == nil && len(w.asked) == 0:
		return nil, Short // before anybody has it
	case w.unable != nil && w.pending > 0:
		return nil, Waiting
	case w.unable != nil:
		return nil, Unheld
	}
	sends := w.sends[:0]
	for n := need; ; n *= 2 { // that many are enough but where some do not answer
		sends = c.sendOn(w, need, rest(c.view.Successors(w.hash, n)), now, sends)
		if 1+len(w.has)+w.pending >= need || n >= len(c.view.Members) {
			break
		}
	}
	if w.pending == 0 {
		return nil, Short
	}
	return sends, Waiting
}

// leaveOut takes those off a write that had what was written, and whose part of the group has gone since.
func (c *writes) leaveOut(w *Write) {
	w.has = slices.DeleteFunc(w.has, func(h holding) bool {
		x, ok := c.ids[h.id]
		gone := ok && c.peers[x].epoch != 0 && !c.samePart(x, h.epoch) && !c.faults.Unheard
		if gone {
			w.unask(h.id)
		}
		return gone
	})
}

// sendOn appends what is to be sent to members, as long as the write needs more of them.
func (c *writes) sendOn(w *Write, need int, ids []string, now int64, sends []Send) []Send {
	n := c.notes[w.hash]
	for _, id := range ids {
		if 1+len(w.has)+w.pending >= need {
			break
		}
		to := c.ids[id]
		if slices.Contains(w.asked, id) || !c.answers(to, now) || c.peers[to].apart || slices.Contains(w.Unable(), to) {
			continue
		}
		w.asked = append(w.asked, id)
		w.pending++
		if n != nil && !c.faults.NoteLater && !slices.Contains(n.may, to) {
			n.may = append(n.may, to)
			w.noted = with(w.noted, to)
		}
		s := c.send(Store, to, w.hash, VersionOf(w.entry))
		s.Entry, s.write = w.entry, w
		sends = append(sends, s)
	}
	return sends
}

// writeAnswered notes an answer to a write.
func (c *writes) writeAnswered(s Send, a Answer, from who) {
	w := s.write
	if s.Op == Drop {
		c.dropAnswered(s, a, from)
		return
	}
	if a.Result == TooLarge && s.Version == VersionOf(w.entry) {
		w.refusedBy(from, s.To, a.Limit)
	}
	w.answered(s, a)
	certainlyNot := (a.Result == Refused || a.Result == TooLarge) && !a.Again || a.Result == Unsent
	if n := c.notes[w.hash]; n != nil && certainlyNot && slices.Contains(w.noted, from) {
		n.may = without(n.may, from)
	}
}

// Stands reports whether a write may be shown that has its copies: nobody has told of anything newer since
// it began. That the key is not shown says nothing: somebody may have told of this very write, or has
// to tell anew what it has.
func (c *writes) Stands(w *Write) bool {
	n := c.notes[w.hash]
	return !w.stopped && w.epoch == c.epoch && c.owns(w.hash) &&
		(n == nil || !n.hidden || n.version == VersionOf(w.entry) || slices.Contains(w.bore, n.version))
}

// Install shows a write that has its copies. It reports false, and then the write was
// abandoned, if the view has changed since it began. The caller looks at the right to act
// before and after it.
func (c *writes) Install(w *Write) bool {
	stale := w.stopped || w.epoch != c.epoch
	if stale && !c.faults.LookOnce {
		c.Abandon(w)
		return false
	}
	c.finish(w, false)
	return true
}

// Abandon ends a write that may be applied at some of those that it was sent to. It hides
// the key until it is: nobody sees the former value after somebody saw this one.
func (c *writes) Abandon(w *Write) {
	if w.Nowhere() {
		if n := c.notes[w.hash]; n != nil && w.epoch == c.epoch {
			n.writes--
			n.ending = n.ending || n.deleted && c.cfg.Held.Peek(n.hash) == nil // it was evicted, and others may have it
			c.look(n)
		}
		return
	}
	c.finish(w, true)
}

func (c *writes) finish(w *Write, hide bool) {
	if !c.owns(w.hash) {
		if c.faults.LookOnce && !hide {
			c.cfg.Held.Set(w.hash, w.entry)
		}
		return
	}
	n := c.noteOf(w.hash)
	defer c.look(n)
	if w.epoch == c.epoch {
		n.writes--
	}
	version := VersionOf(w.entry)
	if n.version.After(version) || c.gone(version) {
		if n.version == (store.Version{}) {
			n.has, n.may = nil, nil // who has it clears it
		}
		return // a digest told of something newer, or a Clear came after it
	}
	held := c.cfg.Held.Set(w.hash, w.entry)
	c.leaveOut(w)
	var askedRoom, hasRoom [4]who
	asked, has := c.numbers(askedRoom[:0], w.asked), hasRoom[:0]
	for _, h := range w.has {
		if x, ok := c.ids[h.id]; ok {
			has = append(has, x)
		}
	}
	for _, x := range n.has {
		n.may = with(n.may, x)
	}
	if !c.faults.NoteLater {
		for _, x := range asked {
			n.may = with(n.may, x)
		}
	}
	n.has = append(n.has[:0], has...)
	for _, x := range has {
		n.may = without(n.may, x)
	}
	n.version, n.deleted, n.hidden, n.ending = version, w.entry.Negative, n.hidden || hide, false
	n.unable = nil
	if w.epoch == c.epoch {
		n.unable = slices.Clone(w.Unable())
	}
	switch {
	case held:
	case c.faults.EvictUnheld:
		n.deleted, n.hidden, n.ending = true, false, true
	default: // evicted, it would leave nothing to whoever is missing and has what was before the former value
		n.hidden = true
		c.forgo(n)
	}
}

// Bring holds a value that this member owns, or, before its first view, anybody's, if it is newer
// than what is held and known: it came from somebody who keeps no copies. It is hidden until it has
// its copies. It reports false if the value is another member's, who may have asked for digests.
func (c *writes) Bring(hash uint64, e *store.Entry) bool {
	own := c.owns(hash)
	v := VersionOf(e)
	switch {
	case !own && c.view.Owner != nil:
		return false
	case c.gone(v) || !v.After(VersionOf(c.cfg.Held.Peek(hash))):
		return true
	case !own:
		c.cfg.Held.Set(hash, e)
		return true
	}
	n := c.noteOf(hash)
	if v.After(n.version) {
		for _, x := range n.has {
			n.may = with(n.may, x)
		}
		n.has = nil
		n.version, n.deleted, n.hidden, n.ending, n.unable = v, e.Negative, true, false, nil
		c.cfg.Held.Set(hash, e)
	}
	c.look(n)
	return true
}
