package cachemesh

import (
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/membership"
)

// reporter says in the log what state the mesh is in, when that changes or lasts.
// Its fields belong to the settle goroutine.
type reporter struct {
	phase phase
	since int64 // when the view was not settled; 0: it is
	said  []string
}

// complainEvery is how often a state that lasts is said again.
const complainEvery = time.Minute

// report says what changed.
func (n *Node) report(vd quorum.Verdict) {
	r := &n.settler.told
	now, p := n.now(), phase(n.phase.Load())
	switch {
	case p == r.phase:
	case p == byMajority:
		n.log.Info("this member is with the majority again", "primary", vd.Number)
	case p == asHalf:
		n.log.Warn("the other half of this mesh of two is out of reach: what is loaded is kept for MaxStale at most, until it is back, "+
			"or certainly gone", "waits_for", n.waitsFor(), "max_stale", n.opts.MaxStale)
	default:
		n.log.Warn("this member sees no majority of the mesh: what is loaded is kept for MaxStale at most, and writes return ErrMinority, "+
			"until enough of these are back, or certainly gone, or forgotten by Node.Forget", "waits_for", n.waitsFor(), "max_stale", n.opts.MaxStale)
	}
	r.phase = p
	n.reportUnreachable(r, now)
	if vd.Mode != quorum.Unsettled {
		r.since = 0
		return
	}
	if r.since == 0 {
		r.since = now
	}
	if now-r.since < int64(n.opts.MaxStale) {
		return
	}
	r.since = now + int64(complainEvery-n.opts.MaxStale)
	if n.valuesMove(now) {
		n.log.Info("values are being handed over, and the mesh waits for that", "handed_over", n.handedOver.Load())
		return
	}
	n.log.Warn("these members do not agree on who is in the mesh, or cannot be called: until they do, nothing new is stored; "+
		"is their TCP port open?", "members", n.lagging())
}

// valuesMove reports whether values are on their way from here, or came a moment ago.
func (n *Node) valuesMove(now int64) bool {
	took := n.tookOver.Load()
	return n.handing.Load() > 0 || took != 0 && now-took < int64(handOverTime)
}

// reportUnreachable names the members that cannot be reached for long, once for
// each set of them.
func (n *Node) reportUnreachable(r *reporter, now int64) {
	var names []string
	n.mandate.mu.Lock()
	for id, since := range n.mandate.core.UnreachedSince() {
		if now-since >= int64(unreachable) {
			names = append(names, id)
		}
	}
	n.mandate.mu.Unlock()
	slices.Sort(names)
	if slices.Equal(names, r.said) {
		return
	}
	if r.said = names; len(names) > 0 {
		n.log.Warn("these members gossip and cannot be called, neither directly nor through others: if most members say so, "+
			"they go on without them; is their TCP port open?", "members", names)
	}
}

// reportVanished names the members that are gone and did not leave in order.
func (n *Node) reportVanished(gone []membership.Departure) {
	var names, addrs []string
	for _, d := range gone {
		if !d.Clean {
			names, addrs = append(names, d.Member.Name), append(addrs, d.Member.Addr)
		}
	}
	if len(names) > 0 {
		n.log.Warn("members are gone without leaving: they crashed, or this member cannot reach them; writes of their keys wait "+
			"until none of them can act any more", "gone", names, "addrs", addrs, "at_most", n.opts.Right)
	}
}

// waitsFor returns the names of those whose return, or end, makes a majority.
func (n *Node) waitsFor() (names []string) {
	n.mandate.mu.Lock()
	defer n.mandate.mu.Unlock()
	for _, m := range n.mandate.core.WaitsFor(n.now()) {
		names = append(names, m.Name)
	}
	return names
}

// lagging returns the IDs of those who have not agreed to the view.
func (n *Node) lagging() (ids []string) {
	n.mandate.mu.Lock()
	defer n.mandate.mu.Unlock()
	return n.mandate.core.LaggingIDs()
}

// Forget says that a member is gone for good, by its name: what waits for it does
// so no more. It is an operator's word against the mesh's own caution: if the
// member lives on and still acts, beyond a cut, two sides of it may both answer
// writes with nil. It reports whether anything waited for a member of that name.
// The others are told.
func (n *Node) Forget(name string) bool {
	found := false
	n.judge(func(c *quorum.Core, now int64) {
		for _, m := range c.WaitsFor(now) {
			if m.Name == name {
				c.Forget(m.ID)
				found = true
			}
		}
	})
	return found
}
