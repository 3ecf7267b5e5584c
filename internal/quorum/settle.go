package quorum

import "maps"

// A Verdict is what is so at one time.
type Verdict struct {
	Mode Mode

	// Number is that of the primary, 0 if there is none.
	Number uint64

	// Right is until when this member may act by what it holds.
	Right int64

	// Limited is until when it may answer as a minority, or as half of two, by what
	// it loads.
	Limited int64

	// OwnFrom is when keys that it gained with the view become its own, if the view
	// settled as a primary or as half of two.
	OwnFrom int64

	// LeftOut says that the others went on without this member: what it held before
	// this call must be dropped before it acts. It is said once.
	LeftOut bool
}

// Judge settles the view if all of its members have said enough, renews the
// right, and returns what is so.
func (c *Core) Judge(now int64) Verdict {
	if c.view.ID != 0 && c.agreed() {
		if c.number == 0 {
			c.consider(c.highest(), now)
		} else if c.vote < Yes {
			c.consider(0, now)
		}
		c.settle(now)
	}
	c.renew(now)
	v := Verdict{Mode: c.mode, Right: c.right, Limited: c.limited, OwnFrom: c.waitsUntil(c.elsewhere), LeftOut: c.leftOut}
	if c.mode == Settled {
		v.Number = c.last.Number
	}
	if c.mode == HalfOfTwo && now < v.OwnFrom {
		v.Mode = Unsettled // the other half may act as more than that yet
	}
	c.leftOut = false
	return v
}

// settle ends the vote if everyone has voted with this member's number.
func (c *Core) settle(now int64) {
	if c.number == 0 || c.mode == Settled {
		return
	}
	mode, base := Settled, c.HasBase()
	lower := func(v Vote) {
		switch {
		case v < Half:
			mode = Minority
		case v == Half:
			mode = min(mode, HalfOfTwo)
		}
	}
	lower(c.vote)
	for _, h := range c.heard {
		if h.number != c.number || h.vote == NoVote {
			return
		}
		lower(h.vote)
		base = base || h.base
	}
	if !base {
		if !c.gaveUp {
			return
		}
		mode = Minority // nobody here knows that nobody else is there
	}
	if mode <= c.mode {
		return
	}
	c.noteLeftOut()
	if mode == Settled && c.freed && now >= c.right && c.served {
		c.leftOut = true // those who are over may have gone on without this member
	}
	for _, h := range c.heard {
		h.confirmed, h.stood = 0, 0 // a right comes from questions of a settled view alone
	}
	c.mode, c.served = mode, true
	if until := max(c.right, c.limited); mode != Settled || until-now < c.cfg.Right/2 {
		c.urge(func(*heard) bool { return true })
	}
	if mode != Settled {
		return
	}
	c.last, c.copied, c.tried = c.primary(c.number), false, nil
	c.known, c.founder = max(c.known, c.number), false
	c.prune(c.baseMembers())
}

// noteLeftOut notes whether anybody in the view went on without this member: it
// says that it took this one in anew, or it knows of a primary that this member
// did not vote for.
func (c *Core) noteLeftOut() {
	for id, h := range c.heard {
		if c.served && (h.takenIn != c.stamps[id] || h.last > c.last.Number && !c.voted(h.last, h.lastView)) {
			c.leftOut = true
		}
		c.stamps[id] = h.takenIn
	}
	// What those who are away said last stands: who comes back and says it again has not gone on without this member.
	tooMany := len(c.stamps) > len(c.heard)+maxWaits
	maps.DeleteFunc(c.stamps, func(id string, _ uint64) bool {
		_, over := c.ended[id]
		return c.heard[id] == nil && (over || tooMany)
	})
}

// renew moves the rights on by what was answered.
func (c *Core) renew(now int64) {
	switch c.mode {
	case Settled:
		c.limited = 0
		voted := func(h *heard) int64 { return max(h.confirmed, h.stood) }
		if sent, ok := c.saidYes(c.last.Set, len(c.last.Set)/2+1, now, voted); ok {
			c.right = max(c.right, c.rightFrom(sent))
		}
	case Unsettled: // by the primary before, while the next view is agreed on
		stood := func(h *heard) int64 { return h.stood }
		if sent, ok := c.saidYes(c.last.Set, len(c.last.Set)/2+1, now, stood); ok && c.standsNow(now) && len(c.heard) > 0 {
			c.right = max(c.right, c.rightFrom(sent))
		}
	case Minority, HalfOfTwo:
		confirmed := func(h *heard) int64 { return h.confirmed }
		if sent, ok := c.saidYes(c.view.Members, len(c.view.Members), now, confirmed); ok {
			c.limited = max(c.limited, c.rightFrom(sent))
		}
	}
}
