package quorum

import (
	"slices"
)

// Say returns what this member says to another: as a question, or as an answer.
func (c *Core) Say(to string, now int64) Word {
	if c.number > 0 {
		c.consider(0, now) // evidence may have come since
	}
	left := min(c.left(now), c.cfg.Right) // alone a member needs no right; in company it has no more than one
	w := Word{
		From: c.cfg.Self.ID, View: c.view.ID, Number: c.number, Vote: c.vote,
		Last: c.last.Number, LastView: c.last.View, Known: c.known, Promised: c.promised,
		Base: c.HasBase(), WantsBase: c.last.Number == 0 || c.copied, Stands: c.standsWith(to, now), Handing: c.handing,
		RightFor: c.cfg.Right, RightLeft: left, WaitsLeft: max(c.waitsUntil(c.elsewhere)-now, 0),
		TakenIn: c.takenIn[to], Unreachable: c.unreachable(now), Expelled: listed(c.expelled), Forgotten: listed(c.forgotten),
	}
	if h := c.heard[to]; h != nil && h.wantsBase && c.last.Number > h.last {
		w.Bases = append([]Primary{c.last}, c.tried...)
	}
	return w
}

// Asked takes a question and returns the answer. To say yes to a view and number
// that is this member's own is to promise: not to act without the asker before
// its right has ended.
func (c *Core) Asked(w Word, now int64) Word {
	if !c.credible(w) {
		return c.Say(w.From, now)
	}
	c.take(w, now)
	if slices.Contains(w.Expelled, c.cfg.Self.key()) {
		c.toldExpelled = true // and whoever says so can call this member again
	}
	yes := c.samePrimary(w) && c.standsWith(w.From, now)
	if w.View == c.view.ID && w.Number > 0 {
		c.consider(w.Number, now)
		yes = yes || w.Number == c.number && c.vote >= Half
	}
	if c.heard[w.From] != nil && yes {
		c.wait(w.From, now+drift(w.RightFor))
	}
	return c.Say(w.From, now)
}

// standsWith reports whether this member has voted for nothing since its primary
// settled: no other can have come about without its telling whom it waits for. So
// it may say yes to another by that primary while they agree on the next view,
// which somebody may be slow to adopt, or to hand over values for. Who acts as a
// minority says it to nobody.
func (c *Core) standsWith(id string, now int64) bool {
	return c.heard[id] != nil && c.standsNow(now)
}

func (c *Core) standsNow(now int64) bool {
	return c.last.Number > 0 && !c.copied && len(c.tried) == 0 && c.limited <= now && c.mode != Minority && c.mode != HalfOfTwo
}

// Answered takes the answer to a question that was asked of the member at the
// time sent, as that word. An answer counts for the question that it answers, and
// from the run that was asked.
func (c *Core) Answered(of string, asked Word, sent int64, w Word, now int64) {
	if w.From != of || !c.credible(w) {
		return
	}
	c.take(w, now)
	h := c.heard[of]
	if h == nil || sent < c.woke {
		return
	}
	if w.Stands && c.samePrimary(w) && asked.Last == w.Last && asked.LastView == w.LastView {
		h.stood = max(h.stood, sent)
	}
	if w.View != c.view.ID || asked.View != w.View {
		return
	}
	if asked.Number > 0 && asked.Number == w.Number && (w.Vote == Yes || w.Vote > NoVote && c.mode != Settled) {
		h.confirmed = max(h.confirmed, sent)
	}
}

// take notes what another member says of itself.
func (c *Core) take(w Word, now int64) {
	h := c.heard[w.From]
	if h == nil {
		return
	}
	if len(w.Forgotten) > 0 {
		c.takeForgotten(w.Forgotten)
	}
	h.unreachable, h.holds, h.reported = w.Unreachable, w.View, now
	c.followExpulsions(w)
	// Whatever view it acts by, it may act for so long if it drops out of this one.
	c.wait(w.From, now+drift(w.RightLeft))
	if w.View != c.view.ID {
		return
	}
	if c.copyOf(w.Bases) {
		c.noteMissing(c.view, now)
	}
	h.agrees, h.handing, h.wantsBase, h.takenIn = true, w.Handing, w.WantsBase, w.TakenIn
	h.base = h.base || w.Base
	c.known = max(c.known, w.Last, w.Known)
	if w.Last >= h.last {
		h.last, h.lastView = w.Last, w.LastView
	}
	if w.Number > h.number || w.Number == h.number && w.Vote > h.vote {
		h.number, h.vote = w.Number, w.Vote
		if c.mode != Settled || w.Number > c.number { // it is a vote that has not settled here
			c.passed = max(c.passed, now+w.WaitsLeft)
		}
	}
	switch {
	case c.number == 0:
	case w.Number > c.number:
		c.consider(w.Number, now)
	case w.Last >= c.number && w.LastView != c.view.ID:
		c.consider(w.Last+1, now) // a vote below a known primary counts for nothing
	}
	if c.number == 0 && c.agreed() {
		c.consider(c.highest(), now)
	}
	if !c.lagging(h) {
		h.urgent = false
	}
}

// takeForgotten notes what another was told by an operator, of those that this
// member misses.
func (c *Core) takeForgotten(ids []string) {
	for _, m := range c.baseMembers() {
		if slices.Contains(ids, m.ID) && !c.in(m.ID) {
			c.Forget(m.ID)
		}
	}
}
