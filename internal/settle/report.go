package settle

import (
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// reporter says in the log what state the mesh is in, when that changes or lasts.
// Its fields belong to the settle goroutine.
type reporter struct {
	phase view.Phase
	since int64 // when the view was not settled; 0: it is
	said  []string
}

// complainEvery is how often a state that lasts is said again.
const complainEvery = time.Minute

// report says what changed.
func (s *Settler) report(vd quorum.Verdict) {
	r := &s.told
	now, p := s.clock.Now(), s.state.Phase()
	switch {
	case p == r.phase:
	case p == view.ByMajority:
		s.log.Info("this member is with the majority again", "primary", vd.Number)
	case p == view.AsHalf:
		s.log.Warn("the other half of this mesh of two is out of reach: what is loaded is kept for MaxStale at most, until it is back, "+
			"or certainly gone", "waits_for", s.waitsFor(), "max_stale", s.opts.MaxStale)
	default:
		s.log.Warn("this member sees no majority of the mesh: what is loaded is kept for MaxStale at most, and writes return ErrMinority, "+
			"until enough of these are back, or certainly gone, or forgotten by Node.Forget", "waits_for", s.waitsFor(), "max_stale", s.opts.MaxStale)
	}
	r.phase = p
	s.reportUnreachable(r, now)
	if vd.Mode != quorum.Unsettled {
		r.since = 0
		return
	}
	if r.since == 0 {
		r.since = now
	}
	if now-r.since < int64(s.opts.MaxStale) {
		return
	}
	r.since = now + int64(complainEvery-s.opts.MaxStale)
	if s.holdings.ValuesMove() {
		s.log.Info("values are being handed over, and the mesh waits for that")
		return
	}
	s.log.Warn("these members do not agree on who is in the mesh, or cannot be called: until they do, nothing new is stored; "+
		"is their TCP port open?", "members", s.lagging())
}

// reportUnreachable names the members that cannot be reached for long, once for
// each set of them.
func (s *Settler) reportUnreachable(r *reporter, now int64) {
	var names []string
	s.mandate.mu.Lock()
	for id, since := range s.mandate.core.UnreachedSince() {
		if now-since >= int64(unreachable) {
			names = append(names, id)
		}
	}
	s.mandate.mu.Unlock()
	slices.Sort(names)
	if slices.Equal(names, r.said) {
		return
	}
	if r.said = names; len(names) > 0 {
		s.log.Warn("these members gossip and cannot be called, neither directly nor through others: if most members say so, "+
			"they go on without them; is their TCP port open?", "members", names)
	}
}

// reportVanished names the members that are gone and did not leave in order.
func (s *Settler) reportVanished(gone []departure) {
	var names, addrs []string
	for _, d := range gone {
		if !d.clean {
			names, addrs = append(names, d.member.Name), append(addrs, d.member.Addr)
		}
	}
	if len(names) > 0 {
		s.log.Warn("members are gone without leaving: they crashed, or this member cannot reach them; writes of their keys wait "+
			"until none of them can act any more", "gone", names, "addrs", addrs, "at_most", s.opts.Right)
	}
}

// waitsFor returns the names of those whose return, or end, makes a majority.
func (s *Settler) waitsFor() (names []string) {
	s.mandate.mu.Lock()
	defer s.mandate.mu.Unlock()
	for _, m := range s.mandate.core.WaitsFor(s.clock.Now()) {
		names = append(names, m.Name)
	}
	return names
}

// lagging returns the IDs of those who have not agreed to the view.
func (s *Settler) lagging() (ids []string) {
	s.mandate.mu.Lock()
	defer s.mandate.mu.Unlock()
	return s.mandate.core.LaggingIDs()
}

// Forget says that a member is gone for good, by its name: what waits for it does
// so no more. It is an operator's word against the mesh's own caution: if the
// member lives on and still acts, beyond a cut, two sides of it may both answer
// writes with nil. It reports whether anything waited for a member of that name.
// The others are told.
func (s *Settler) Forget(name string) bool {
	found := false
	s.judge(func(c *quorum.Core, now int64) {
		for _, m := range c.WaitsFor(now) {
			if m.Name == name {
				c.Forget(m.ID)
				found = true
			}
		}
	})
	return found
}
