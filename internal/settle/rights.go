package settle

import (
	"math"
	"sync"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// A mandate is what a node may do, as its quorum.Core says. The core is a
// deterministic machine; this is what connects it to what the node holds.
type mandate struct {
	mu   sync.Mutex   // guards the fields below; taken inside Settler.adopting
	core *quorum.Core //
	view *view.View   // that the core judges

	verdict quorum.Verdict
	phase   view.Phase // State.Phase, as it was set last
	since   int64      // when the verdict's mode changed

	// dropping says that what is held must go before the node acts again, and then
	// acts in the phase next. The settler sees to it, outside of mu.
	dropping bool
	next     view.Phase
}

// judge tells the core something, f may be nil, lets it decide, and acts by what
// it says.
func (s *Settler) judge(f func(c *quorum.Core, now int64)) {
	m := &s.mandate
	m.mu.Lock()
	defer m.mu.Unlock()
	now := s.clock.Now()
	m.core.Hand(s.holdings.Moving())
	if f != nil {
		f(m.core, now)
	}
	vd := m.core.Judge(now)
	if vd.Mode != m.verdict.Mode {
		m.since = now
		s.Poke()
	}
	m.verdict = vd
	s.actLocked(vd.LeftOut, now)
	if m.core.Urgent() {
		s.Poke()
	}
}

// actLocked acts by the verdict. What is held by one right is dropped before the
// node goes on by another: of a minority's values nobody knows whether the
// majority has written them since.
func (s *Settler) actLocked(leftOut bool, now int64) {
	m, vd := &s.mandate, s.mandate.verdict
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
		s.writes.Empty(m.view)
	}
	if leftOut || (want == view.ByMajority) != (m.phase == view.ByMajority) {
		m.dropping = true
		s.writes.NewEra() // nothing that is being loaded is stored
		s.Poke()
	}
	if m.dropping {
		m.next = want
		s.writes.Confirm(0)
		return
	}
	m.phase = want
	s.writes.Act(want)
	until := vd.Right
	if want != view.ByMajority {
		until = vd.Limited
	} else if vd.Mode == quorum.Settled {
		s.writes.ActBy(uint32(min(vd.Number, math.MaxUint32)))
	}
	s.writes.Confirm(until)
	agreed := vd.Mode == quorum.Settled && want == view.ByMajority && now >= vd.OwnFrom || vd.Mode != quorum.Unsettled && want != view.ByMajority
	if agreed && now < until && m.view != nil {
		s.writes.Settle(m.view)
	}
}

// dropHeld drops what must not be served any more, and lets the node act again.
// Values that nobody could load again stay: they carry versions.
func (s *Settler) dropHeld() {
	m := &s.mandate
	for {
		m.mu.Lock()
		era := s.state.Era()
		dropping := m.dropping
		m.mu.Unlock()
		if !dropping {
			return
		}
		s.holdings.DropBefore(era)
		s.actAgain(era)
	}
}

// actAgain lets the node act after what was held in an era was dropped, unless more
// must go by now. No view is being adopted meanwhile that follows one from before.
func (s *Settler) actAgain(era uint32) {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	m := &s.mandate
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.state.Era() == era {
		m.dropping, m.phase = false, m.next
		s.actLocked(false, s.clock.Now())
	}
}
