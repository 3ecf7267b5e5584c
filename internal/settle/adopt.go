package settle

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/membership"
)

// Adopt makes a view of the membership this node's own. When it returns, nothing
// that was lost with the former view is served here any more, so that the node
// may tell others that it acts by the new one.
func (s *Settler) Adopt(mv *membership.View) {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	if s.life.IsClosing() || s.gossiped != nil && mv.Epoch <= s.gossiped.Epoch {
		return
	}
	s.gossiped = mv
	s.adoptLocked(departures(mv.Gone), mv.Returned)
}

// adoptLocked makes a view of what gossip says, without those that this node goes
// on without because they cannot be reached. s.adopting is held.
func (s *Settler) adoptLocked(gone []departure, returned bool) {
	old, now := s.state.View(), s.clock.Now()
	members := s.admitted(s.gossiped.Members)
	s.forgetFormerRuns(members, old)
	v := view.New(members, old, s.opts.Self.ID, s.peers.Peer, s.state.Limited())
	if old != nil && old.ID == v.ID && !returned && len(gone) == 0 {
		return
	}
	clean := s.absent.note(members, gone, now)
	s.reportVanished(gone)
	s.writes.Trace(s.absent.tracing(now))
	s.writes.Publish(v)
	s.holdings.DropLost(v, returned || v.Self < 0)
	s.forgetGone(gone, members)
	s.judge(func(c *quorum.Core, now int64) {
		s.mandate.view = v // with the core's own, or the verdict on the former one would count for it
		c.Adopt(quorum.View{ID: v.ID, Members: v.Members}, clean, now)
	})
	s.Poke()
	s.log.Info("the mesh changed", "members", len(v.Members), "missing", len(s.absent.missing), "epoch", v.Epoch)
}

// A departure is a member that is gone.
type departure struct {
	member quorum.Member
	clean  bool // it left in order
}

func departures(gone []membership.Departure) []departure {
	list := make([]departure, len(gone))
	for i, d := range gone {
		list[i] = departure{quorumMember(d.Member), d.Clean}
	}
	return list
}

// admitted returns those members that this node does not go on without.
func (s *Settler) admitted(gossiped []membership.Member) []quorum.Member {
	s.mandate.mu.Lock()
	defer s.mandate.mu.Unlock()
	all := quorumMembers(gossiped)
	s.mandate.core.Readmit(all)
	return slices.DeleteFunc(all, s.mandate.core.IsExpelled)
}

// readopt adopts a view anew because somebody was expelled.
func (s *Settler) readopt() {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	if s.state.View() == nil || s.life.IsClosing() {
		return
	}
	var gone []departure
	s.mandate.mu.Lock()
	for _, m := range s.state.View().Members {
		if s.mandate.core.IsExpelled(m) {
			gone = append(gone, departure{member: m})
		}
	}
	s.mandate.mu.Unlock()
	if len(gone) > 0 {
		s.adoptLocked(gone, false)
	}
}

// forgetGone closes the connections to addresses where no member is any more.
func (s *Settler) forgetGone(departed []departure, members []quorum.Member) {
	var gone []string
	for _, d := range departed {
		gone = append(gone, d.member.Addr)
	}
	s.peers.Forget(gone, members)
}

// forgetFormerRuns ends what was remembered of addresses at which another process is
// now: the wait before the next dial, and connections to the former one.
func (s *Settler) forgetFormerRuns(members []quorum.Member, old *view.View) {
	if old == nil {
		return
	}
	for _, m := range members {
		if id := m.ID; id != s.opts.Self.ID && old.Peers[id] == nil {
			s.peers.Renew(m.Addr, id)
		}
	}
}

func quorumMembers(members []membership.Member) []quorum.Member {
	list := make([]quorum.Member, len(members))
	for i, m := range members {
		list[i] = quorumMember(m)
	}
	return list
}

func quorumMember(m membership.Member) quorum.Member {
	return quorum.Member{ID: m.ID(), Name: m.Name, Addr: m.Addr, Life: m.Life, Leaving: m.Leaving}
}
