package cachemesh

import (
	"maps"
	"slices"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/membership"
)

// adopt makes a view of the membership this node's own. When it returns, nothing
// that was lost with the former view is served here any more, so that the node
// may tell others that it acts by the new one.
func (n *Node) adopt(mv *membership.View) {
	n.adopting.Lock()
	defer n.adopting.Unlock()
	if n.isClosing() || n.gossiped != nil && mv.Epoch <= n.gossiped.Epoch {
		return
	}
	n.gossiped = mv
	n.adoptLocked(mv.Gone, mv.Returned)
}

// adoptLocked makes a view of what gossip says, without those that this node goes
// on without because they cannot be reached. n.adopting is held.
func (n *Node) adoptLocked(gone []membership.Departure, returned bool) {
	old, now := n.view.Load(), n.now()
	members := n.admitted(n.gossiped.Members)
	n.forgetFormerRuns(members, old)
	v := n.newView(members, old)
	if old != nil && old.id == v.id && !returned && len(gone) == 0 {
		return
	}
	clean := n.absent.note(members, gone, now)
	n.reportVanished(gone)
	n.tracing.Store(n.absent.tracing(now))
	n.view.Store(v)
	for _, c := range n.groups.all() {
		c.dropLost(v)
		if returned || v.self < 0 {
			c.hot.InvalidateAll() // others go on without this node, or soon do
		}
	}
	n.handOver()
	n.forgetGone(gone, members)
	n.judge(func(c *quorum.Core, now int64) {
		n.mandate.view = v // with the core's own, or the verdict on the former one would count for it
		c.Adopt(v.quorum(), clean, now)
	})
	n.settler.poke()
	n.log.Info("the mesh changed", "members", len(v.members), "missing", len(n.absent.missing), "epoch", v.epoch)
}

// admitted returns those members that this node does not go on without.
func (n *Node) admitted(all []membership.Member) []membership.Member {
	n.mandate.mu.Lock()
	defer n.mandate.mu.Unlock()
	n.mandate.core.Readmit(quorumMembers(all))
	return slices.DeleteFunc(slices.Clone(all), func(m membership.Member) bool {
		return n.mandate.core.IsExpelled(quorumMember(m))
	})
}

// readopt adopts a view anew because somebody was expelled.
func (n *Node) readopt() {
	n.adopting.Lock()
	defer n.adopting.Unlock()
	if n.view.Load() == nil || n.isClosing() {
		return
	}
	var gone []membership.Departure
	n.mandate.mu.Lock()
	for _, m := range n.view.Load().members {
		if n.mandate.core.IsExpelled(quorumMember(m)) {
			gone = append(gone, membership.Departure{Member: m})
		}
	}
	n.mandate.mu.Unlock()
	if len(gone) > 0 {
		n.adoptLocked(gone, false)
	}
}

// forgetGone closes the connections to addresses where no member is any more.
func (n *Node) forgetGone(departed []membership.Departure, members []membership.Member) {
	gone := make(map[string]struct{})
	for _, d := range departed {
		gone[d.Member.Addr] = struct{}{}
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
func (n *Node) forgetFormerRuns(members []membership.Member, old *view) {
	if old == nil {
		return
	}
	for _, m := range members {
		if id := m.ID(); id != n.id && old.peers[id] == nil {
			n.pool.Renew(m.Addr, id)
		}
	}
}

func (n *Node) isClosing() bool {
	select {
	case <-n.closing:
		return true
	default:
		return false
	}
}
