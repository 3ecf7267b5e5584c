package quorum

import (
	"maps"
	"slices"
)

// Unreached says that a member of the view could be reached neither directly nor
// by relays.
func (c *Core) Unreached(id string, now int64) {
	if _, known := c.unreached[id]; !known && c.heard[id] != nil {
		c.unreached[id] = now
	}
}

// Report has everyone asked at once when there is news of whom this member cannot
// reach, and returns how long it is until there may be more, 0 if there is nobody
// else.
func (c *Core) Report(now int64) (next int64) {
	for id, since := range c.unreached {
		left := since + c.patience - now
		switch _, said := c.reported[id]; {
		case said:
		case left > 0 && (next == 0 || left < next):
			next = left
		case left <= 0:
			c.reported[id] = struct{}{}
			c.urge(func(*heard) bool { return true })
		}
	}
	maps.DeleteFunc(c.reported, func(id string, _ struct{}) bool { _, ok := c.unreached[id]; return !ok })
	return next
}

// anyReported reports whether any member says that it cannot reach another.
func (c *Core) anyReported(now int64) bool {
	if len(c.unreachable(now)) > 0 {
		return true
	}
	for _, h := range c.heard {
		if len(h.unreachable) > 0 {
			return true
		}
	}
	return false
}

// Expel puts a member out that most of the settled primary cannot reach, if what
// remains is still a majority of it. It puts out one at a time, whom the most
// cannot reach. It returns whom, or false if there is nobody.
func (c *Core) Expel(now int64) (Member, bool) {
	if !c.anyReported(now) {
		return Member{}, false
	}
	voters := c.voters()
	var worst Member
	most := 0
	for _, m := range c.view.Members {
		if m.ID == c.cfg.Self.ID || !c.mayExpel(m, voters) {
			continue
		}
		if n := c.reporters(m.ID, voters, now); 2*n > len(voters) && n > most {
			worst, most = m, n
		}
	}
	if most > 0 {
		c.expelled[worst.key()] = worst
	}
	return worst, most > 0
}

// voters are those whose majority decides: the settled primary, or the view
// before there was one.
func (c *Core) voters() []Member {
	if c.last.Number > 0 && !c.copied {
		return c.last.Set
	}
	return c.view.staying()
}

// mayExpel reports whether the view without a member, and without those that were
// put out before, holds a strict majority of the voters.
func (c *Core) mayExpel(out Member, voters []Member) bool {
	left := 0
	for _, m := range voters {
		in := slices.IndexFunc(c.view.Members, func(v Member) bool { return v.ID == m.ID })
		if in < 0 || m.ID == out.ID {
			continue
		}
		if _, gone := c.expelled[c.view.Members[in].key()]; !gone {
			left++
		}
	}
	return 2*left > len(voters)
}

// reporters counts the voters that cannot reach a member.
func (c *Core) reporters(id string, voters []Member, now int64) (n int) {
	for _, m := range voters {
		var says []string
		if m.ID == c.cfg.Self.ID {
			says = c.unreachable(now)
		} else if h := c.heard[m.ID]; h != nil && now-h.reported < 2*c.patience {
			says = h.unreachable
		}
		if slices.Contains(says, id) {
			n++
		}
	}
	return n
}

// followExpulsions goes on without those that another voter goes on without: an
// expulsion is news, like a death in gossip, not a vote.
func (c *Core) followExpulsions(w Word) {
	if len(w.Expelled) == 0 {
		return
	}
	voters := c.voters()
	if !slices.ContainsFunc(voters, func(m Member) bool { return m.ID == w.From }) {
		return
	}
	for _, m := range c.view.Members {
		if _, known := c.expelled[m.key()]; known || m.ID == c.cfg.Self.ID || m.ID == w.From ||
			!slices.Contains(w.Expelled, m.key()) || !c.mayExpel(m, voters) {
			continue
		}
		c.expelled[m.key()], c.changed = m, true
	}
}
