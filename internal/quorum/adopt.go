package quorum

// Adopt makes v this member's view. clean are the runs that are gone because they
// left in order. Whoever calls it has stopped acting by the former view.
func (c *Core) Adopt(v View, clean []string, now int64) {
	c.noteGone(v, clean, now)
	c.noteTakenIn(v)
	c.view, c.number, c.vote, c.known, c.mode = v, 0, NoVote, c.last.Number, Unsettled
	c.heard = make(map[string]*heard, len(v.Members))
	for _, m := range v.Members {
		if m.ID == c.cfg.Self.ID {
			c.cfg.Self = m // it may have begun another life
		} else {
			c.heard[m.ID] = &heard{asked: now, urgent: true}
		}
	}
	for id := range c.unreached {
		if c.heard[id] == nil {
			delete(c.unreached, id)
		}
	}
	if len(v.Members) > 1 { // who was alone needed nobody's right; now it does
		c.shorten(now + c.cfg.Right)
	}
}

// noteGone notes what a new view says about those that are not in it.
func (c *Core) noteGone(v View, clean []string, now int64) {
	for _, id := range clean {
		c.ended[id] = struct{}{}
		delete(c.waits, id)
	}
	for _, m := range c.view.Members {
		if v.has(m.ID) || m.ID == c.cfg.Self.ID {
			continue
		}
		if _, over := c.ended[m.ID]; !over && !m.Leaving {
			// It may hold copies that this member granted until now.
			c.wait(m.ID, now+drift(c.cfg.Lease))
		}
	}
	c.noteMissing(v, now)
	c.lapse(now)
}

// noteMissing notes which members of the bases are not in a view, and which of
// them are over: another run has their name or their address. Who is in it is not
// over, whatever was found out or said before.
func (c *Core) noteMissing(v View, now int64) {
	for _, m := range v.Members {
		delete(c.ended, m.ID)
		delete(c.forgotten, m.ID)
	}
	for _, m := range c.baseMembers() {
		if v.has(m.ID) {
			delete(c.missing, m.ID)
			continue
		}
		if _, known := c.missing[m.ID]; !known {
			c.missing[m.ID] = now
		}
		for _, other := range v.Members {
			if other.Name == m.Name || other.Addr == m.Addr {
				c.ended[m.ID] = struct{}{}
			}
			if other.Name == m.Name && other.Addr == m.Addr {
				delete(c.waits, m.ID) // both: whoever started it knew that the other was over
			}
		}
	}
	if len(c.ended) > maxWaits {
		c.prune(c.baseMembers())
	}
}

// Hand says whether values of former views are on their way to new owners. Until
// they are, this member votes for nothing.
func (c *Core) Hand(handing bool) { c.handing = handing }

// Wake says that this member's clock may have stood still: it has no right, and
// answers to what it asked before give none.
func (c *Core) Wake(now int64) {
	c.right, c.limited, c.woke = 0, 0, now
	for _, h := range c.heard {
		h.confirmed, h.stood = 0, 0
	}
}
