package settle

import (
	"context"
	"sync"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/membership"
)

// A Settler settles the views of one node. Its methods are called concurrently.
type Settler struct {
	*setting
	asks *asks

	adopting sync.Mutex       // held while a view is adopted, so that views follow each other; guards the fields below
	gossiped *membership.View // the latest; nil before the first was adopted
	absent   absent

	mandate  *mandate  // has a lock of its own; taken inside adopting
	evidence *evidence // belongs to the goroutine that seeks it
	told     *reporter // belongs to Run
}

// New returns a settler, which does nothing before Run.
func New(o Options, h Holdings, p Peers) *Settler {
	s := &Settler{setting: newSetting(o, h, p), asks: newAsks()}
	s.absent = absent{missing: make(map[string]missed), after: int64(o.ForgetAfter)}
	s.mandate = newMandate(s.setting, s.asks)
	s.evidence = newEvidence(s.setting, s.mandate)
	s.told = &reporter{setting: s.setting, mandate: s.mandate}
	return s
}

// Gossip says which membership the node is in, before Run.
func (s *Settler) Gossip(ms Gossiped) { s.members.Store(&ms) }

// Close takes the view away. No other is adopted after it: the node's life has ended.
func (s *Settler) Close() {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	s.writes.Publish(nil)
}

// WhileStill calls f while no view is adopted.
func (s *Settler) WhileStill(f func()) {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	f()
}

// GiveUp says that the start is over: whoever could be joined was joined.
func (s *Settler) GiveUp() { s.mandate.judge(func(c *quorum.Core, _ int64) { c.GiveUp() }) }

// Wake says that the machine may have been suspended: nothing is served until the others
// have confirmed it.
func (s *Settler) Wake() {
	s.mandate.judge(func(c *quorum.Core, now int64) { c.Wake(now) })
	s.Poke()
}

// Judge decides anew what the node may do.
func (s *Settler) Judge() { s.mandate.judge(nil) }

// AwaitVoted waits until the view in which this node leaves has settled, so that
// the others count without it, but for Options.Right at most. If they cannot be reached
// it goes all the same, and they miss it.
func (s *Settler) AwaitVoted(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Right)
	defer cancel()
	for {
		v, vd := s.mandate.current()
		if voted := vd.Mode != quorum.Unsettled && v != nil && v.Self < 0; voted || s.life.Pause(ctx, fenceRetryMin) != nil {
			return
		}
	}
}

// Standing says by what right the node answers.
func (s *Settler) Standing() Standing {
	st := s.mandate.standing()
	s.adopting.Lock()
	defer s.adopting.Unlock()
	st.Missing = len(s.absent.missing)
	return st
}

// Poke says that there is something to do.
func (s *Settler) Poke() { s.asks.poke() }

// NoteSilent notes who of those to be joined is silent, before there is a view: the time
// for which they are counts from then.
func (s *Settler) NoteSilent() { s.evidence.mayFound(nil) }

// Forget says that a member is gone for good, by its name: what waits for it does
// so no more. It is an operator's word against the mesh's own caution: if the
// member lives on and still acts, beyond a cut, two sides of it may both answer
// writes with nil. It reports whether anything waited for a member of that name.
// The others are told.
func (s *Settler) Forget(name string) bool {
	found := false
	s.mandate.judge(func(c *quorum.Core, now int64) {
		for _, m := range c.WaitsFor(now) {
			if m.Name == name {
				c.Forget(m.ID)
				found = true
			}
		}
	})
	return found
}
