package cachemesh

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A phase is by what right a node answers.
type phase uint32

const (
	byMajority phase = iota // as a member of the majority, by all that it holds
	asHalf                  // as half of a mesh of two, by what it loads
	asMinority              // by what it loads; writes hold on this side only
)

// A mandate is what a node may do, as its quorum.Core says. The core is a
// deterministic machine; this is what connects it to what the node holds.
type mandate struct {
	mu   sync.Mutex   // guards the fields below; taken inside Node.adopting
	core *quorum.Core //
	view *view        // that the core judges

	verdict quorum.Verdict
	phase   phase // Node.phase, as it was set last
	since   int64 // when the verdict's mode changed

	// dropping says that what is held must go before the node acts again, and then
	// acts in the phase next. The settler sees to it, outside of mu.
	dropping bool
	next     phase
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
			want = byMajority
		}
	case quorum.HalfOfTwo, quorum.Minority:
		if m.phase != byMajority || now >= vd.Right { // until then it goes on by what it holds
			want = asMinority
			if vd.Mode == quorum.HalfOfTwo {
				want = asHalf
			}
		}
	}
	if leftOut && m.view != nil {
		m.view.emptied.Store(true)
		m.view.settled.Store(false)
	}
	if leftOut || (want == byMajority) != (m.phase == byMajority) {
		m.dropping = true
		n.era.Add(1) // nothing that is being loaded is stored
		n.settler.poke()
	}
	if m.dropping {
		m.next = want
		n.confirmed.Store(0)
		return
	}
	m.phase = want
	n.phase.Store(uint32(want))
	until := vd.Right
	if want != byMajority {
		until = vd.Limited
	} else if vd.Mode == quorum.Settled {
		n.primary.Store(uint32(min(vd.Number, math.MaxUint32)))
	}
	n.confirmed.Store(until)
	agreed := vd.Mode == quorum.Settled && want == byMajority && now >= vd.OwnFrom || vd.Mode != quorum.Unsettled && want != byMajority
	if agreed && now < until && m.view != nil {
		m.view.settled.Store(true)
	}
}

// dropHeld drops what must not be served any more, and lets the node act again.
// Values that nobody could load again stay: they carry versions.
func (n *Node) dropHeld() {
	m := &n.mandate
	for {
		m.mu.Lock()
		era := n.era.Load()
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
	if n.era.Load() == era {
		m.dropping, m.phase = false, m.next
		n.actLocked(false, n.clock.Now())
	}
}

// limited reports whether this node answers without a majority.
func (n *Node) limited() bool { return phase(n.phase.Load()) != byMajority }

// limitNew limits the life of a value that is about to be stored, and that was
// read from the origin, or written, at the time began: the majority may write it
// unseen.
func (n *Node) limitNew(e *store.Entry, began int64) {
	if !n.limited() {
		return
	}
	if limit := began + int64(n.opts.MaxStale); e.Expires == 0 || e.Expires > limit {
		e.Expires = limit
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

// whileEntitled calls end when this node's right to act ends, unless stop was
// called before.
func (n *Node) whileEntitled(end func()) (stop func()) {
	var timer atomic.Pointer[time.Timer]
	var stopped atomic.Bool
	var watch func()
	watch = func() {
		left := time.Duration(n.confirmed.Load() - n.clock.Now())
		switch {
		case stopped.Load():
		case left <= 0:
			end()
		default:
			timer.Store(time.AfterFunc(min(left, n.opts.Right), watch))
		}
	}
	watch()
	return func() {
		stopped.Store(true)
		if t := timer.Load(); t != nil {
			t.Stop()
		}
	}
}
