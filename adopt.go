package cachemesh

import (
	"maps"
	"slices"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/membership"
)

// adopt makes a view of the membership this node's own. When it returns, nothing
// that was lost with the former view is served here any more, so that the node
// may tell others that it acts by the new one.
func (n *Node) adopt(mv *membership.View) {
	n.adopting.Lock()
	defer n.adopting.Unlock()
	if n.life.IsClosing() || n.gossiped != nil && mv.Epoch <= n.gossiped.Epoch {
		return
	}
	n.gossiped = mv
	n.adoptLocked(departures(mv.Gone), mv.Returned)
}

// adoptLocked makes a view of what gossip says, without those that this node goes
// on without because they cannot be reached. n.adopting is held.
func (n *Node) adoptLocked(gone []departure, returned bool) {
	old, now := n.state.View(), n.clock.Now()
	members := n.admitted(n.gossiped.Members)
	n.forgetFormerRuns(members, old)
	v := view.New(members, old, n.id, n.peers.peer, n.state.Limited())
	if old != nil && old.ID == v.ID && !returned && len(gone) == 0 {
		return
	}
	clean := n.absent.note(members, gone, now)
	n.reportVanished(gone)
	n.writes.Trace(n.absent.tracing(now))
	n.writes.Publish(v)
	var parcels []parcel
	for _, c := range n.groups.all() {
		parcels = append(parcels, c.dropLost(v)...)
		if returned || v.Self < 0 {
			c.hot.InvalidateAll() // others go on without this node, or soon do
		}
	}
	n.handOver(parcels)
	n.forgetGone(gone, members)
	n.judge(func(c *quorum.Core, now int64) {
		n.mandate.view = v // with the core's own, or the verdict on the former one would count for it
		c.Adopt(quorum.View{ID: v.ID, Members: v.Members}, clean, now)
	})
	n.settler.poke()
	n.log.Info("the mesh changed", "members", len(v.Members), "missing", len(n.absent.missing), "epoch", v.Epoch)
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
func (n *Node) admitted(gossiped []membership.Member) []quorum.Member {
	n.mandate.mu.Lock()
	defer n.mandate.mu.Unlock()
	all := quorumMembers(gossiped)
	n.mandate.core.Readmit(all)
	return slices.DeleteFunc(all, n.mandate.core.IsExpelled)
}

// readopt adopts a view anew because somebody was expelled.
func (n *Node) readopt() {
	n.adopting.Lock()
	defer n.adopting.Unlock()
	if n.state.View() == nil || n.life.IsClosing() {
		return
	}
	var gone []departure
	n.mandate.mu.Lock()
	for _, m := range n.state.View().Members {
		if n.mandate.core.IsExpelled(m) {
			gone = append(gone, departure{member: m})
		}
	}
	n.mandate.mu.Unlock()
	if len(gone) > 0 {
		n.adoptLocked(gone, false)
	}
}

// forgetGone closes the connections to addresses where no member is any more.
func (n *Node) forgetGone(departed []departure, members []quorum.Member) {
	gone := make(map[string]struct{})
	for _, d := range departed {
		gone[d.member.Addr] = struct{}{}
	}
	n.mu.Lock()
	maps.Copy(gone, n.hints)
	clear(n.hints)
	n.mu.Unlock()
	for _, m := range members {
		delete(gone, m.Addr)
	}
	for addr := range gone {
		n.peers.forget(addr)
	}
}

// forgetFormerRuns ends what was remembered of addresses at which another process is
// now: the wait before the next dial, and connections to the former one.
func (n *Node) forgetFormerRuns(members []quorum.Member, old *view.View) {
	if old == nil {
		return
	}
	for _, m := range members {
		if id := m.ID; id != n.id && old.Peers[id] == nil {
			n.pool.Renew(m.Addr, id)
		}
	}
}
