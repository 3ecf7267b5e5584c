package settle

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
	"github.com/praveenduddu/cachemesh/membership"
)

const (
	seekEvery   = time.Second            // between looks for evidence
	probeTime   = 500 * time.Millisecond // for one address
	refusals    = 3                      // in a row, before an address counts as given up
	unreachable = 3 * time.Second        // before a member says that it cannot reach another
)

// evidence is what a node finds out about members that do not answer. Its fields
// belong to the goroutine that seeks, of which there is one at a time.
type evidence struct {
	seeking atomic.Bool
	next    atomic.Int64 // when to look again, on the node's clock

	founding time.Duration // the last pause between looks whether a mesh may be founded; of the settle goroutine

	refused map[string]int   // times in a row that an address refused a connection, by address
	silent  map[string]int64 // since when a bootstrap address refused, or a name had no address
}

// seekEvidence looks, once in a while and if it matters, for what ends a wait:
// members that are over, bootstrap nodes that are not there, members that were
// put out and can be called again. It returns when it wants to be called again.
func (s *Settler) seekEvidence(v *view.View, vd quorum.Verdict) time.Duration {
	now := s.clock.Now()
	if left := time.Duration(s.evidence.next.Load() - now); left > 0 {
		return left
	}
	var waits, out []quorum.Member
	founding := false
	s.judge(func(c *quorum.Core, now int64) {
		waits, out = c.WaitsFor(now), c.Expelled()
		founding = vd.Mode != quorum.Settled && vd.Number == 0 && !c.Founder()
	})
	every := seekEvery
	if founding { // its users wait for it
		s.evidence.founding = min(max(2*s.evidence.founding, fenceRetryMin), seekEvery)
		every = s.evidence.founding
	}
	s.evidence.next.Store(now + int64(every))
	if !s.evidence.seeking.CompareAndSwap(false, true) {
		return every
	}
	if len(waits) == 0 && len(out) == 0 && !founding {
		clear(s.evidence.refused) // refusals of long ago do not count with later ones
		clear(s.evidence.silent)
		s.evidence.seeking.Store(false)
		return every
	}
	ok := s.life.Go(func() {
		defer s.evidence.seeking.Store(false)
		s.probeMissing(waits)
		s.probeExpelled(out)
		if founding {
			s.mayFound(v)
		}
	})
	if !ok {
		s.evidence.seeking.Store(false)
	}
	return every
}

// heed does what the others' words ask for.
func (s *Settler) heed() {
	s.mandate.mu.Lock()
	expelled, self := s.mandate.core.TakeNews()
	s.mandate.mu.Unlock()
	if expelled {
		s.life.Go(s.readopt)
	}
	if ms := s.members.Load(); self && ms != nil {
		s.log.Warn("the others went on without this member, which they could not call; they can again: it comes back empty")
		ms.Revive()
	}
}

// probeMissing looks whether members that a majority waits for have ended: a
// process that lives has its port open.
func (s *Settler) probeMissing(members []quorum.Member) {
	for _, m := range members {
		if !s.refuses(m.Addr) {
			delete(s.evidence.refused, m.Addr)
			continue
		}
		s.evidence.refused[m.Addr]++
		if s.evidence.refused[m.Addr] >= refusals {
			s.log.Warn("a member is gone: its address refuses connections", "gone", m.Name, "addr", m.Addr)
			s.judge(func(c *quorum.Core, _ int64) { c.Ended(m.ID) })
			delete(s.evidence.refused, m.Addr)
		}
	}
}

// refuses reports whether nobody listens at an address.
func (s *Settler) refuses(addr string) bool {
	ctx, cancel := context.WithTimeout(s.life.Context(), probeTime)
	defer cancel()
	conn, err := s.opts.Dial(ctx, addr)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// probeExpelled calls members that this node goes on without: one that can be
// called is told, and comes back.
func (s *Settler) probeExpelled(members []quorum.Member) {
	for _, m := range members {
		ctx, cancel := context.WithTimeout(s.life.Context(), probeTime)
		var w quorum.Word
		s.judge(func(c *quorum.Core, now int64) { w = c.Say(m.ID, now) })
		k := wire.NewCall(wire.OpFence, "", s.opts.Self.ID)
		k.Req.View, k.Req.Value = w.View, w.Append(nil)
		_ = s.peers.Peer(m.Addr).Call(ctx, &k.Req, &k.Resp)
		k.Free()
		cancel()
	}
}

// NoteSilent notes who of those to be joined is silent, before there is a view: the time
// for which they are counts from then.
func (s *Settler) NoteSilent() { s.mayFound(nil) }

// mayFound lets this node found a mesh once it knows that none is there: every
// address that it was told of is its own, or that of a member that has no mesh
// either, or has refused connections, or is a name without an address, for
// JoinTimeout. Unless an option says that it may be alone.
func (s *Settler) mayFound(v *view.View) {
	ms := s.members.Load()
	if ms == nil {
		return
	}
	now, settled := s.clock.Now(), true
	quiet := func(addr string) {
		since, known := s.evidence.silent[addr]
		if !known {
			since = now
			s.evidence.silent[addr] = now
		}
		settled = settled && now-since >= int64(s.opts.JoinTimeout)
	}
	for _, seed := range ms.Told(s.life.Context()) {
		switch {
		case seed.Missing: // a name that has no address
			quiet(seed.Name)
		case seed.Member != nil:
			settled = settled && s.unfounded(v, *seed.Member)
		case s.opts.MayFound || s.refuses(seed.Addr):
			quiet(seed.Name + " " + seed.Addr)
		default:
			delete(s.evidence.silent, seed.Name+" "+seed.Addr)
			settled = false
		}
	}
	if settled {
		s.judge(func(c *quorum.Core, _ int64) { c.Found() })
	}
}

// unfounded reports whether a member of the view has said that it knows of no
// mesh that was founded.
func (s *Settler) unfounded(v *view.View, m membership.Member) (ok bool) {
	if v == nil || !slices.ContainsFunc(v.Members, func(o quorum.Member) bool { return o.ID == m.ID() }) {
		return false
	}
	s.judge(func(c *quorum.Core, _ int64) {
		heard, founded := c.HeardOf(m.ID())
		ok = heard && !founded
	})
	return ok
}
