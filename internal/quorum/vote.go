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
	vote := c.judge(now)
	if vote == Yes && !c.record(n) {
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
		if c.hasBase() || len(c.heard) > 0 { // else nobody can count it
			clear(c.parted)
			c.counted = true
		}
	}
}

// judge returns what this member's own base says of its view. A base that is
// older than a primary that somebody in the view told of is void: whoever told
// of it counts the newer one.
func (c *Core) judge(now int64) Vote {
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

// record notes a vote before it is told. It reports false if too many are noted
// already: then the answer must be no.
func (c *Core) record(n uint64) bool {
	if len(c.tried) == maxTried {
		c.compact()
	}
	if len(c.tried) == maxTried {
		return false
	}
	c.tried = append(c.tried, Primary{Number: n, View: c.view.ID, Set: c.view.staying()})
	return true
}

// compact keeps of the votes for one view only the last, which binds as the
// others do.
func (c *Core) compact() {
	kept := c.tried[:0]
	for i, t := range c.tried {
		again := false
		for _, later := range c.tried[i+1:] {
			again = again || later.View == t.View
		}
		if !again {
			kept = append(kept, t)
		}
	}
	c.tried = kept
}

// voted reports whether this member voted for that view with that number.
func (c *Core) voted(number, view uint64) bool {
	for _, t := range c.tried {
		if t.Number == number && t.View == view {
			return true
		}
	}
	return false
}

// present counts the members of a set that are in the view.
func (c *Core) present(set []Member) (n int) {
	for _, m := range set {
		if c.in(m.ID) {
			n++
		}
	}
	return n
}

// majority reports whether the view may go on without the rest of a set: it has
// more than half of it, or half of four or more and the greatest of them, or
// nobody of the rest can act any more.
func (c *Core) majority(set []Member, now int64) bool {
	return c.outvotes(set) || c.released(set, now)
}

// outvotes is majority without the last.
func (c *Core) outvotes(set []Member) bool {
	here := c.present(set)
	return 2*here > len(set) || 2*here == len(set) && len(set) >= 4 && c.in(greatest(set))
}

// floor is the highest number that this member knows of.
func (c *Core) floor() uint64 { return max(c.promised, c.known, c.last.Number) }

// credible reports whether the numbers of a word may be true.
func (c *Core) credible(w Word) bool {
	highest := max(w.Number, w.Last, w.Known, w.Promised)
	for _, p := range w.Bases {
		highest = max(highest, p.Number)
	}
	return highest < c.floor()+maxStep
}

func greatest(set []Member) (id string) {
	for _, m := range set {
		id = max(id, m.ID)
	}
	return id
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

// Ended says that a run is certainly over: its address refuses connections.
func (c *Core) Ended(id string) { c.ended[id] = struct{}{} }

// Forget says that an operator knows of a run that it is gone for good.
func (c *Core) Forget(id string) {
	if len(c.forgotten) < maxWaits {
		c.forgotten[id] = struct{}{}
	}
}

// WaitsFor returns the members whose return, or end, would make this member's
// view a majority, as far as its own bases say.
func (c *Core) WaitsFor(now int64) (members []Member) {
	seen := make(map[string]struct{})
	for _, p := range append([]Primary{c.last}, c.tried...) {
		if p.Number == 0 || p.Number < max(c.known, c.last.Number) || c.majority(p.Set, now) {
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
