package settle

import (
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// A mandate is what a node may do, as its quorum.Core says. The core is a
// deterministic machine; this is what connects it to what the node holds.
type mandate struct {
	*setting
	asks *asks

	mu   sync.Mutex // guards the fields below; taken inside Settler.adopting
	core *quorum.Core
	view *view.View // that the core judges

	verdict quorum.Verdict
	phase   view.Phase // State.Phase, as it was set last
	since   int64      // when the verdict's mode changed

	// dropping says that what is held must go before the node acts again, and then
	// acts in the phase next. The settler sees to it, outside of mu.
	dropping bool
	next     view.Phase
}

func newMandate(s *setting, a *asks) *mandate {
	o := &s.opts
	m := &mandate{setting: s, asks: a, core: quorum.New(quorum.Config{
		Self: o.Self, Right: int64(o.Right), Lease: int64(o.Lease),
		Unreachable: int64(unreachable), ForgetAfter: int64(o.ForgetAfter),
	})}
	if o.Alone {
		m.core.Found()
	}
	return m
}

// judge tells the core something, f may be nil, lets it decide, and acts by what
// it says.
func (m *mandate) judge(f func(c *quorum.Core, now int64)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.Now()
	m.core.Hand(m.holdings.Moving())
	if f != nil {
		f(m.core, now)
	}
	vd := m.core.Judge(now)
	if vd.Mode != m.verdict.Mode {
		m.since = now
		m.asks.poke()
	}
	m.verdict = vd
	m.actLocked(vd.LeftOut, now)
	if m.core.Urgent() {
		m.asks.poke()
	}
}

// actLocked acts by the verdict. What is held by one right is dropped before the
// node goes on by another: of a minority's values nobody knows whether the
// majority has written them since.
func (m *mandate) actLocked(leftOut bool, now int64) {
	vd := m.verdict
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
		m.writes.Empty(m.view)
		m.holdings.Empty(m.view)
	}
	if leftOut || (want == view.ByMajority) != (m.phase == view.ByMajority) {
		m.dropping = true
		m.writes.NewEra() // nothing that is being loaded is stored
		m.asks.poke()
	}
	if m.dropping {
		m.next = want
		m.writes.Confirm(0)
		return
	}
	m.phase = want
	m.writes.Act(want)
	until := vd.Right
	if want != view.ByMajority {
		until = vd.Limited
	} else if vd.Mode == quorum.Settled {
		m.writes.ActBy(uint32(min(vd.Number, math.MaxUint32)))
	}
	m.writes.Confirm(until)
	agreed := vd.Mode == quorum.Settled && want == view.ByMajority && now >= vd.OwnFrom || vd.Mode != quorum.Unsettled && want != view.ByMajority
	if agreed && now < until && m.view != nil && !m.view.Settled() {
		m.writes.Settle(m.view)
		m.holdings.Own(m.view)
	}
}

// current returns the view that is judged, nil before there is one, and the verdict.
func (m *mandate) current() (*view.View, quorum.Verdict) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.view, m.verdict
}

// again lets the node act after what was held in an era was dropped, unless more must go by
// now.
func (m *mandate) again(era uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state.Era() == era {
		m.dropping, m.phase = false, m.next
		m.actLocked(false, m.clock.Now())
	}
}

// toDrop reports whether what was stored before the present era must go.
func (m *mandate) toDrop() (era uint32, dropping bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.Era(), m.dropping
}

// admitted returns those members that this node does not go on without.
func (m *mandate) admitted(all []quorum.Member) []quorum.Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.core.Readmit(all)
	return slices.DeleteFunc(all, m.core.IsExpelled)
}

// expelled returns those members that this node goes on without.
func (m *mandate) expelled(all []quorum.Member) (out []quorum.Member) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, each := range all {
		if m.core.IsExpelled(each) {
			out = append(out, each)
		}
	}
	return out
}

// waitsFor returns the names of those whose return, or end, makes a majority.
func (m *mandate) waitsFor() (names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.core.WaitsFor(m.clock.Now()) {
		names = append(names, w.Name)
	}
	return names
}

// lagging returns the IDs of those who have not agreed to the view.
func (m *mandate) lagging() (ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.core.LaggingIDs()
}

// unreached returns the IDs of those who cannot be reached for long.
func (m *mandate) unreached() (ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, since := range m.core.UnreachedSince() {
		if m.clock.Now()-since >= int64(unreachable) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// said returns what the members of the view said last, and what time it is.
func (m *mandate) said() ([]quorum.Said, int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.core.Said(), m.clock.Now()
}

// takeNews reports, once, what others said of expulsions.
func (m *mandate) takeNews() (expelled, self bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.core.TakeNews()
}

// unreachable is how long it takes before a member says that it cannot reach another.
const unreachable = 3 * time.Second

// A Standing is by what right a node answers, and whom it misses.
type Standing struct {
	Mode               string
	Since              time.Duration // the mode changed
	Primary            uint64
	WaitsFor, Expelled []string // names
	Unreachable        []string // IDs
	Missing            int
}

// standing says by what right the node answers. It leaves Missing out.
func (m *mandate) standing() (st Standing) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.Now()
	st.Mode, st.Since, st.Primary = m.verdict.Mode.String(), time.Duration(now-m.since), m.verdict.Number
	for _, w := range m.core.WaitsFor(now) {
		st.WaitsFor = append(st.WaitsFor, w.Name)
	}
	st.Unreachable = slices.Sorted(maps.Keys(m.core.UnreachedSince()))
	for _, e := range m.core.Expelled() {
		st.Expelled = append(st.Expelled, e.Name)
	}
	return st
}
