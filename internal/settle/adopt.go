package settle

import (
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
	members := s.mandate.admitted(quorumMembers(s.gossiped.Members))
	s.forgetFormerRuns(members, old)
	v := view.New(members, old, s.opts.Self.ID, s.peers.Peer, s.state.Limited())
	if old != nil && old.ID == v.ID && !returned && len(gone) == 0 {
		return
	}
	clean := s.absent.note(members, gone, now)
	s.told.vanished(gone)
	s.writes.Trace(s.absent.tracing(now))
	s.writes.Publish(v)
	s.holdings.DropLost(v, returned || v.Self < 0)
	s.forgetGone(gone, members)
	s.mandate.judge(func(c *quorum.Core, now int64) {
		s.mandate.view = v // with the core's own, or the verdict on the former one would count for it
		c.Adopt(quorum.View{ID: v.ID, Members: v.Members}, clean, now)
	})
	s.Poke()
	s.told.changed(members, old, gone, len(s.absent.missing), v.Epoch)
}

// readopt adopts a view anew because somebody was expelled.
func (s *Settler) readopt() {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	if s.state.View() == nil || s.life.IsClosing() {
		return
	}
	var gone []departure
	for _, m := range s.mandate.expelled(s.state.View().Members) {
		gone = append(gone, departure{member: m})
	}
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

// heed does what the others' words ask for.
func (s *Settler) heed() {
	expelled, self := s.mandate.takeNews()
	if expelled {
		s.life.Go(s.readopt)
	}
	if ms := s.members.Load(); self && ms != nil {
		s.log.Warn("the others went on without this member, which they could not call; they can again: it comes back empty")
		(*ms).Revive()
	}
}
