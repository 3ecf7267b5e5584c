package replica

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// repairs are what brings the copies of this member's own keys where they should be.
type repairs struct{ *notebook }

// Work returns what to send now so that copies come to be where they should, at most so
// many requests: first for what is waited for. Each is answered with Answered; as long as the
// caller bounds how many are under way, so is what they take.
func (c *repairs) Work(now int64, most int) (sends []Send) {
	for len(c.urgent) > 0 && len(sends) < most {
		n := c.urgent[0]
		c.urgent = c.urgent[1:]
		if n.urgent = false; c.notes[n.hash] == n {
			sends = append(sends, c.mend(n, now, most-len(sends))...)
		}
	}
	for range min(len(c.due), maxLooks) {
		if len(sends) >= most {
			break
		}
		n := c.due[0]
		c.due = c.due[1:]
		if c.notes[n.hash] != n {
			continue
		}
		n.queued = false
		sends = append(sends, c.mend(n, now, most-len(sends))...)
		if c.notes[n.hash] == n {
			c.queue(n) // until it is as it should be
		}
	}
	return sends
}

// Due returns how many notes Work has to look at, those that have gone since included.
func (c *repairs) Due() int { return len(c.due) }

// mend returns what a key needs next.
func (c *repairs) mend(n *note, now int64, most int) (sends []Send) {
	if n.writes > 0 || n.hidden && !c.Ready() {
		return nil
	}
	c.show(n)
	if c.settle(n) {
		return nil
	}
	if n.version == (store.Version{}) {
		return nil
	}
	e := c.cfg.Held.Peek(n.hash)
	if VersionOf(e) != n.version && !n.ending {
		return c.fetch(n, now)
	}
	if n.ending {
		return c.drops(n, c.last(n), now, most)
	}
	for _, w := range c.targets(n, now) {
		if len(sends) < most {
			s := c.sendTo(Store, w, n)
			s.Entry = e
			sends = append(sends, s)
		}
	}
	return append(sends, c.excess(n, now, most-len(sends))...)
}

// last are those that drop next what is not needed any more: who has something older goes first, or that would
// come back with this member gone; and who has not told yet may have.
func (c *repairs) last(n *note) []who {
	switch {
	case c.faults.DropFirst, c.faults.ShortTraces:
		return n.has
	case !c.Ready():
		return nil
	case len(n.may) > 0:
		return n.may
	}
	return n.has
}

// targets are those that should get a copy: the first successors that answer.
func (c *repairs) targets(n *note, now int64) (list []who) {
	left := c.enough(n.unable) - 1
	for _, w := range c.numbers(nil, rest(c.view.Successors(n.hash, len(c.view.Members)))) {
		if left == 0 {
			break
		}
		if slices.Contains(n.has, w) {
			left--
		} else if c.answers(w, now) && !c.peers[w].apart && !slices.Contains(n.unable, w) {
			left--
			if !slices.Contains(n.sent, w) {
				list = append(list, w)
			}
		}
	}
	return list
}

// excess drops copies that are not needed, once as many others have the value as shall.
func (c *repairs) excess(n *note, now int64, most int) []Send {
	enough := c.count(n) >= c.enough(n.unable)
	if !enough {
		return nil
	}
	var list []who
	ideal := c.best(n)
	whole := !slices.ContainsFunc(ideal, func(w who) bool { return !slices.Contains(n.has, w) })
	for _, w := range n.may {
		if !slices.Contains(ideal, w) {
			list = append(list, w)
		}
	}
	for _, w := range n.has {
		if whole && !slices.Contains(ideal, w) {
			list = append(list, w)
		}
	}
	return c.drops(n, list, now, most)
}

func (c *repairs) drops(n *note, list []who, now int64, most int) (sends []Send) {
	for _, w := range list {
		if len(sends) < most && c.answers(w, now) && !slices.Contains(n.sent, w) {
			sends = append(sends, c.sendTo(Drop, w, n))
		}
	}
	return sends
}

// fetch asks one of those that have the newest version for it. If none has it any more it
// is gone: a trace takes its place, so that nothing older does.
func (c *repairs) fetch(n *note, now int64) []Send {
	if len(n.sent) > 0 {
		return nil
	}
	for _, w := range n.has {
		if c.answers(w, now) {
			return []Send{c.sendTo(Fetch, w, n)}
		}
	}
	if len(n.has) == 0 && c.Ready() {
		c.stats.Lost++
		c.cfg.Held.Set(n.hash, c.cfg.Trace(n.hash, n.version))
		n.deleted = true
	}
	return nil
}

// sendTo makes a repair, and notes it.
func (c *repairs) sendTo(op Op, w who, n *note) Send {
	n.sent = with(n.sent, w)
	if op == Store && !c.faults.NoteLater {
		n.may = with(n.may, w)
	}
	return c.send(op, w, n.hash, n.version)
}

// repairAnswered notes an answer to a repair, and sees what its key needs now.
func (c *repairs) repairAnswered(s Send, a Answer, w who) {
	n := c.notes[s.Hash]
	if n == nil { // a Clear came after it
		return
	}
	n.sent = without(n.sent, w)
	if c.gone(s.Version) {
		n.may = without(n.may, w) // it has cleared that, or will
	} else {
		c.repaired(s, a, n, w)
	}
	c.look(n)
}

// repaired notes an answer to a repair.
func (c *repairs) repaired(s Send, a Answer, n *note, w who) {
	switch {
	case a.Result == Newer:
		c.learn(Line{Hash: s.Hash, Version: a.Version}, w)
	case a.Result == TooLarge && s.Version == n.version:
		c.refused(s, n, w)
	case a.Result != Done:
	case s.Op == Store && s.Version == n.version:
		c.stats.Repairs++
		n.has, n.may = with(n.has, w), without(n.may, w)
	case s.Op == Store: // it has what was the newest when it was sent
		n.may = with(n.may, w)
	case s.Op == Drop:
		c.stats.Dropped++
		n.may = without(n.may, w)
		if s.Version == n.version {
			n.has = without(n.has, w)
		}
	case s.Op == Fetch && a.Version == n.version:
		if n.writes == 0 && !VersionOf(c.cfg.Held.Peek(s.Hash)).After(a.Version) {
			n.deleted = a.Entry.Negative
			if !c.cfg.Held.Set(s.Hash, a.Entry) {
				c.forgo(n)
			}
		}
	case s.Op == Fetch && n.version.After(a.Version): // it has lost it
		n.has = without(n.has, w)
		if a.Entry != nil {
			n.may = with(n.may, w)
		}
	}
}

// refused notes that a member cannot hold a copy, or this one what it fetched.
func (c *repairs) refused(s Send, n *note, w who) {
	switch s.Op {
	case Store: // what it may have before it drops now
		n.unable = with(n.unable, w)
	case Fetch:
		c.forgo(n)
	}
}
