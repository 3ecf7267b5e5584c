package cachemesh

import (
	"math"
	"sync"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// A mandate is what a node may do, as its quorum.Core says. The core is a
// deterministic machine; this is what connects it to what the node holds.
type mandate struct {
	mu   sync.Mutex   // guards the fields below; taken inside Node.adopting
	core *quorum.Core //
	view *view.View   // that the core judges

	verdict quorum.Verdict
	phase   view.Phase // Node.phase, as it was set last
	since   int64      // when the verdict's mode changed

	// dropping says that what is held must go before the node acts again, and then
	// acts in the phase next. The settler sees to it, outside of mu.
	dropping bool
	next     view.Phase
}

// judge tells the core something, f may be nil, lets it decide, and acts by what
// it says.
func (n *Node) judge(f func(c *quorum.Core, now int64)) {
	m := &n.mandate
	m.mu.Lock()
	defer m.mu.Unlock()
	now := n.clock.Now()
	m.core.Hand(n.handing.Load() > 0)
	if f != nil {
		f(m.core, now)
	}
	vd := m.core.Judge(now)
	if vd.Mode != m.verdict.Mode {
		m.since = now
		n.settler.poke()
	}
	m.verdict = vd
	n.actLocked(vd.LeftOut, now)
	if m.core.Urgent() {
		n.settler.poke()
	}
}

// actLocked acts by the verdict. What is held by one right is dropped before the
// node goes on by another: of a minority's values nobody knows whether the
// majority has written them since.
func (n *Node) actLocked(leftOut bool, now int64) {
	m, vd := &n.mandate, n.mandate.verdict
	want := m.phase
	switch vd.Mode {
	case quorum.Settled:
		if now >= vd.OwnFrom {
			want = view.ByMajority
		}
	case quorum.HalfOfTwo, quorum.Minority:
		if m.phase != view.ByMajority || now >= vd.Right { // until then it goes on by what it holds
			want = view.AsMinority
			if vd.Mode == quorum.HalfOfTwo {
				want = view.AsHalf
			}
		}
	}
	if leftOut && m.view != nil {
		n.writes.Empty(m.view)
	}
	if leftOut || (want == view.ByMajority) != (m.phase == view.ByMajority) {
		m.dropping = true
		n.writes.NewEra() // nothing that is being loaded is stored
		n.settler.poke()
	}
	if m.dropping {
		m.next = want
		n.writes.Confirm(0)
		return
	}
	m.phase = want
	n.writes.Act(want)
	until := vd.Right
	if want != view.ByMajority {
		until = vd.Limited
	} else if vd.Mode == quorum.Settled {
		n.writes.ActBy(uint32(min(vd.Number, math.MaxUint32)))
	}
	n.writes.Confirm(until)
	agreed := vd.Mode == quorum.Settled && want == view.ByMajority && now >= vd.OwnFrom || vd.Mode != quorum.Unsettled && want != view.ByMajority
	if agreed && now < until && m.view != nil {
		n.writes.Settle(m.view)
	}
}

// dropHeld drops what must not be served any more, and lets the node act again.
// Values that nobody could load again stay: they carry versions.
func (n *Node) dropHeld() {
	m := &n.mandate
	for {
		m.mu.Lock()
		era := n.state.Era()
		dropping := m.dropping
		m.mu.Unlock()
		if !dropping {
			return
		}
		for _, c := range n.groups.all() {
			c.dropBefore(uint32(era))
			c.hot.InvalidateAll()
		}
		n.actAgain(era)
	}
}

// actAgain lets the node act after what was held in an era was dropped, unless more
// must go by now. No view is being adopted meanwhile that follows one from before.
func (n *Node) actAgain(era uint32) {
	n.adopting.Lock()
	defer n.adopting.Unlock()
	m := &n.mandate
	m.mu.Lock()
	defer m.mu.Unlock()
	if n.state.Era() == era {
		m.dropping, m.phase = false, m.next
		n.actLocked(false, n.clock.Now())
	}
}

// dropBefore drops what was stored before an era, if it can be loaded again, and
// voids the loads that began before it.
func (c *groupCore) dropBefore(era uint32) {
	if c.origin.Load == nil {
		return
	}
	// Whoever read the era before it changed has stored its value after this.
	c.eachShard(func(s *shard) { c.voidAllLocked(s) })
	c.store.DeleteIf(func(_ uint64, e *store.Entry) bool { return e.Epoch.Load() < era })
}
