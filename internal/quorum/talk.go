package quorum

import (
	"slices"
	"sort"
)

// Say returns what this member says to another: as a question, or as an answer.
func (c *Core) Say(to string, now int64) Word {
	if c.number > 0 {
		c.consider(0, now) // evidence may have come since
	}
	w := Word{
		From: c.cfg.Self.ID, View: c.view.ID, Number: c.number, Vote: c.vote,
		Last: c.last.Number, LastView: c.last.View, Known: c.known, Promised: c.promised,
		Base: c.hasBase(), WantsBase: c.last.Number == 0 || c.copied, Stands: c.standsWith(to, now), Handing: c.handing,
		RightFor: c.cfg.Right, RightLeft: c.mayActFor(now), WaitsLeft: max(c.waitsUntil()-now, 0),
		TakenIn: c.takenIn[to], Unreachable: c.unreachable(now), Expelled: listed(c.expelled), Forgotten: listed(c.forgotten),
	}
	if h := c.heard[to]; h != nil && h.wantsBase && c.last.Number > h.last {
		w.Bases = append([]Primary{c.last}, c.tried...)
	}
	return w
}

// mayActFor returns how much longer this member may act if nobody answers it.
func (c *Core) mayActFor(now int64) int64 {
	left := max(c.right, c.limited) - now
	if left > c.cfg.Right {
		left = c.cfg.Right // alone, it needs no right; in company it has no more than this
	}
	return max(left, 0)
}

func listed[V any](set map[string]V) (ids []string) {
	for id := range set {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids[:min(len(ids), maxListed)]
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
		c.waits[w.From] = max(c.waits[w.From], now+drift(w.RightFor))
	}
	return c.Say(w.From, now)
}

// samePrimary reports whether another counts the primary that this member counts.
func (c *Core) samePrimary(w Word) bool {
	return c.last.Number > 0 && !c.copied && w.Last == c.last.Number && w.LastView == c.last.View
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
	if w.Number > c.number && c.number > 0 {
		c.consider(w.Number, now)
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
	h.unreachable, h.reported = w.Unreachable, now
	c.followExpulsions(w)
	// Whatever view it acts by, it may act for so long if it drops out of this one.
	c.waits[w.From] = max(c.waits[w.From], now+drift(w.RightLeft))
	if w.View != c.view.ID {
		return
	}
	c.takeBase(w, now)
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

// takeBase copies the base of another if this member has none of its own: it can
// found no mesh beside that one any more.
func (c *Core) takeBase(w Word, now int64) {
	if len(w.Bases) == 0 || w.Bases[0].Number <= c.last.Number || c.last.Number > 0 && !c.copied {
		return
	}
	if len(c.tried)+len(w.Bases)-1 > maxTried {
		return // its own votes bind as well
	}
	c.last, c.tried, c.copied = w.Bases[0], append(c.tried, w.Bases[1:]...), true
	c.noteMissing(c.view, now)
}

// agreed reports whether every member of the view said that it holds it, and hands
// nothing over any more. To vote before would be to stand by nothing meanwhile.
func (c *Core) agreed() bool {
	for _, h := range c.heard {
		if !h.agrees || h.handing {
			return false
		}
	}
	return c.view.ID != 0
}

// highest returns the highest number that a member of the view voted with.
func (c *Core) highest() (n uint64) {
	for _, h := range c.heard {
		n = max(n, h.number)
	}
	return n
}

// lagging reports whether a member has not said that it holds the view, or has not
// voted as this one did.
func (c *Core) lagging(h *heard) bool {
	return !h.agrees || h.handing || c.number > 0 && (h.number != c.number || h.vote == NoVote)
}

// urge has members asked at once.
func (c *Core) urge(who func(h *heard) bool) {
	for _, h := range c.heard {
		if h.urgent = who(h); h.urgent {
			c.urgent = true
		}
	}
}

// Ask returns whom to ask now: who lags and was not asked for the time again, and
// everyone that was not asked for the time every. urgent says that Ask should be
// called at once, and is said once.
func (c *Core) Ask(again, every, now int64) (ids []string) {
	for id, h := range c.heard {
		since, lags := now-h.asked, c.lagging(h)
		if h.urgent || since >= every || lags && since >= again {
			h.asked, h.urgent = now, false
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// Lagging reports whether anybody in the view lags.
func (c *Core) Lagging() bool {
	for _, h := range c.heard {
		if c.lagging(h) {
			return true
		}
	}
	return false
}

// LaggingIDs returns who lags.
func (c *Core) LaggingIDs() (ids []string) {
	for id, h := range c.heard {
		if c.lagging(h) {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// Urgent reports, once, that Ask should be called at once.
func (c *Core) Urgent() bool {
	urgent := c.urgent
	c.urgent = false
	return urgent
}

// HeardOf reports whether a member of the view has said that it holds the view,
// and whether it knows of a mesh that was founded.
func (c *Core) HeardOf(id string) (heard, founded bool) {
	h := c.heard[id]
	return h != nil && h.agrees, h != nil && h.last > 0
}
