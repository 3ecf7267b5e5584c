package quorum

// consider votes for this member's view with a number that was heard, or 0 for
// one of its own. A higher number than the one it voted with takes its place; a
// vote that was no is thought over, for evidence may have come.
func (c *Core) consider(n uint64, now int64) {
	if c.handing || c.view.ID == 0 {
		return
	}
	if n < c.number {
		n = c.number
	}
	// Above every primary that is known, too: else the vote would not count beside it.
	if floor := c.floor(); n == 0 || n > c.number && n <= floor {
		n = floor + 1
	}
	if n == c.number && c.vote == Yes {
		return
	}
	vote := c.ownVote(now)
	if vote == Yes && !c.record(c.primary(n)) {
		vote = No
	}
	if n > c.number {
		// Somebody in the view has voted elsewhere meanwhile: it has to settle again.
		c.number, c.vote, c.mode = n, vote, Unsettled
		c.urge(func(h *heard) bool { return h.number != n })
	}
	c.vote = max(c.vote, vote)
	if vote > No { // half a base does not count later, but its number is used up
		c.promised = max(c.promised, n)
		if c.HasBase() || len(c.heard) > 0 { // else nobody can count it
			clear(c.parted)
			c.counted = true
		}
	}
}

// ownVote returns what this member's own base says of its view. A base that is
// older than a primary that somebody in the view told of is void: whoever told
// of it counts the newer one.
func (c *Core) ownVote(now int64) Vote {
	newest := max(c.known, c.last.Number)
	vote := Yes
	c.freed = false
	if c.last.Number == newest && newest > 0 && !c.outvotes(c.last.Set) {
		switch c.freed = c.released(c.last.Set, now); {
		case c.freed:
		case len(c.tried) > 0 || len(c.last.Set) != 2 || c.present(c.last.Set) != 1:
			return No
		default:
			vote = Half
		}
	}
	for _, t := range c.tried {
		if t.Number <= newest || c.outvotes(t.Set) {
			continue
		}
		if c.freed = c.released(t.Set, now); !c.freed {
			return No
		}
	}
	return vote
}

// released reports whether each member of a set that is not in the view is over,
// or forgotten, or missing for so long that a view as large as the set does
// without it. It is all of them or nothing: the dead have voted, and to count the
// rest as if they had not been there would count a vote twice.
func (c *Core) released(set []Member, now int64) bool {
	for _, m := range set {
		if !c.in(m.ID) && !c.gone(m.ID, len(set), now) {
			return false
		}
	}
	return len(set) > 0
}

// gone reports whether one member of a set of that size is released.
func (c *Core) gone(id string, size int, now int64) bool {
	if _, ok := c.ended[id]; ok {
		return true
	}
	if _, ok := c.forgotten[id]; ok {
		return true
	}
	since, ok := c.missing[id]
	return ok && c.cfg.ForgetAfter > 0 && now-since >= c.cfg.ForgetAfter && len(c.view.Members) >= size
}

// WaitsFor returns the members whose return, or end, would make this member's
// view a majority, as far as its own bases say.
func (c *Core) WaitsFor(now int64) (members []Member) {
	seen := make(map[string]struct{})
	for _, p := range append([]Primary{c.last}, c.tried...) {
		if p.Number == 0 || p.Number < max(c.known, c.last.Number) || c.outvotes(p.Set) || c.released(p.Set, now) {
			continue
		}
		for _, m := range p.Set {
			if _, dup := seen[m.ID]; dup || c.in(m.ID) || c.gone(m.ID, len(p.Set), now) {
				continue
			}
			seen[m.ID] = struct{}{}
			members = append(members, m)
		}
	}
	return members
}
