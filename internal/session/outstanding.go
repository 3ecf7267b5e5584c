package session

// Begin notes that a holder is told to drop something. End must follow.
func (g *Granted) Begin(s *Session, now int64) *Call {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &Call{began: now, prev: s.last}
	if s.last == nil {
		s.first = c
	} else {
		s.last.next = c
	}
	s.last = c
	return c
}

// End notes that a call is over, and whether the holder has answered.
func (g *Granted) End(s *Session, c *Call, answered bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.prev == nil {
		s.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		s.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	if answered {
		delete(g.unreached, s.Holder.ID)
	}
}

// Probe reports whether a holder must be reached by a call before it has a session again, and
// nobody calls it yet. Probed must follow.
func (g *Granted) Probe(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, unreached := g.unreached[id]
	_, probing := g.probing[id]
	if !unreached || probing {
		return false
	}
	g.probing[id] = struct{}{}
	return true
}

// Probed notes whether a holder was reached by a call.
func (g *Granted) Probed(id string, reached bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.probing, id)
	if reached {
		delete(g.unreached, id)
	}
}

// Adopt ends the sessions of holders that are not members any more, or in another life. isKnown reports whether
// there is a member of an ID, in whatever life.
func (g *Granted) Adopt(isMember func(Peer) bool, isKnown func(id string) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.standing {
		if !isMember(s.Holder) && !g.faults.RenewEnded {
			g.endLocked(s)
		}
	}
	for id := range g.unreached {
		if !isKnown(id) {
			delete(g.unreached, id)
		}
	}
}

// All returns the sessions by which copies may be served at a time; those that have lapsed are
// broken.
func (g *Granted) All(now int64) (all []*Session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.slots {
		if s != nil && !g.lapseLocked(s, now) {
			all = append(all, s)
		}
	}
	return all
}

// Sweep frees what ended sessions take that have lapsed.
func (g *Granted) Sweep(now int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweepLocked(now)
}

func (g *Granted) sweepLocked(now int64) {
	for _, s := range g.slots {
		if s != nil && s.ended && s.until.Load() <= now {
			g.freeLocked(s)
		}
	}
}

// Count returns how many sessions copies may be served by, or could again.
func (g *Granted) Count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.slots) - len(g.free)
}
