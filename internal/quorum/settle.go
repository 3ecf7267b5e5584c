package quorum

import (
	"maps"
	"slices"
)

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
	v := Verdict{Mode: c.mode, Right: c.right, Limited: c.limited, OwnFrom: c.waitsUntil(), LeftOut: c.leftOut}
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
	mode, base := Settled, c.hasBase()
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
	c.last, c.copied, c.tried = Primary{Number: c.number, View: c.view.ID, Set: c.view.staying()}, false, nil
	c.known, c.founder = max(c.known, c.number), false
	c.prune()
}

// noteLeftOut notes whether anybody in the view went on without this member: it
// says that it took this one in anew, or it knows of a primary that this member
// did not vote for.
func (c *Core) noteLeftOut() {
	stamps := make(map[string]uint64, len(c.heard))
	for id, h := range c.heard {
		stamps[id] = h.takenIn
		if !c.served {
			continue
		}
		if h.takenIn != c.stamps[id] || h.last > c.last.Number && !c.voted(h.last, h.lastView) {
			c.leftOut = true
		}
	}
	c.stamps = stamps
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

func (c *Core) rightFrom(sent int64) int64 {
	if len(c.heard) == 0 {
		return Forever // nobody else is in the view
	}
	return sent + c.cfg.Right
}

// saidYes returns the latest time such that at least need members of a set have
// said yes to a question sent then or later; when tells for each. This member says
// yes now.
func (c *Core) saidYes(set []Member, need int, now int64, when func(h *heard) int64) (sent int64, ok bool) {
	times := make([]int64, 0, len(set))
	for _, m := range set {
		if m.ID == c.cfg.Self.ID {
			times = append(times, now)
		} else if h := c.heard[m.ID]; h != nil && when(h) > 0 {
			times = append(times, when(h))
		}
	}
	if need <= 0 || len(times) < need {
		return 0, false
	}
	slices.Sort(times)
	return times[len(times)-need], true
}

// waitsUntil returns until when somebody who is not in the view may act.
func (c *Core) waitsUntil() int64 {
	until := c.passed
	for id, t := range c.waits {
		if id != c.cfg.Self.ID && !c.in(id) {
			until = max(until, t)
		}
	}
	return until
}

// prune drops what is known of runs that no base names any more.
func (c *Core) prune() {
	named := make(map[string]struct{})
	for _, m := range c.baseMembers() {
		named[m.ID] = struct{}{}
	}
	for _, set := range []map[string]struct{}{c.ended, c.forgotten} {
		maps.DeleteFunc(set, func(id string, _ struct{}) bool { _, ok := named[id]; return !ok })
	}
	maps.DeleteFunc(c.missing, func(id string, _ int64) bool { _, ok := named[id]; return !ok })
}
