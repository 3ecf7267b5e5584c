package replica

import "slices"

// dropOlder has others drop what they have, where some cannot hold what is written and fewer members
// have it than shall. With nothing left to drop there are copies enough.
func (c *writes) dropOlder(w *Write, now int64) (sends []Send, s State) {
	n := c.notes[w.hash]
	if n == nil || w.unable == nil || 1+len(w.has) >= c.enough(nil) || c.faults.KeepOlder {
		return nil, Enough
	}
	for _, x := range n.has { // it may be carried out, whatever is answered
		n.may = with(n.may, x)
	}
	n.has = nil
	older := false
	for _, x := range n.may {
		id := c.view.Members[x]
		if slices.ContainsFunc(w.has, func(h holding) bool { return h.id == id }) {
			continue
		}
		older = true
		if slices.Contains(w.asked, id) || slices.Contains(w.unable.told, x) || !c.answers(x, now) {
			continue
		}
		w.unable.told = append(w.unable.told, x)
		w.pending++
		s := c.send(Drop, x, w.hash, VersionOf(w.entry))
		s.write = w
		sends = append(sends, s)
	}
	switch {
	case !older:
		return nil, Enough
	case w.pending > 0:
		return sends, Waiting
	}
	return nil, Short
}

// dropAnswered notes an answer to a drop that is part of a write.
func (c *writes) dropAnswered(s Send, a Answer, from who) {
	w := s.write
	if s.Version != VersionOf(w.entry) {
		return
	}
	w.pending--
	switch n := c.notes[w.hash]; a.Result {
	case Done:
		if n != nil {
			n.may = without(n.may, from)
		}
	case Newer:
		w.outdo(a.Version)
	case Refused:
		w.stopped = true
	}
}
