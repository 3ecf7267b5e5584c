package cachemesh

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
func (n *Node) seekEvidence(v *view.View, vd quorum.Verdict) time.Duration {
	now := n.clock.Now()
	if left := time.Duration(n.evidence.next.Load() - now); left > 0 {
		return left
	}
	var waits, out []quorum.Member
	founding := false
	n.judge(func(c *quorum.Core, now int64) {
		waits, out = c.WaitsFor(now), c.Expelled()
		founding = vd.Mode != quorum.Settled && vd.Number == 0 && !c.Founder()
	})
	every := seekEvery
	if founding { // its users wait for it
		n.evidence.founding = min(max(2*n.evidence.founding, fenceRetryMin), seekEvery)
		every = n.evidence.founding
	}
	n.evidence.next.Store(now + int64(every))
	if !n.evidence.seeking.CompareAndSwap(false, true) {
		return every
	}
	if len(waits) == 0 && len(out) == 0 && !founding {
		clear(n.evidence.refused) // refusals of long ago do not count with later ones
		clear(n.evidence.silent)
		n.evidence.seeking.Store(false)
		return every
	}
	ok := n.life.Go(func() {
		defer n.evidence.seeking.Store(false)
		n.probeMissing(waits)
		n.probeExpelled(out)
		if founding {
			n.mayFound(v)
		}
	})
	if !ok {
		n.evidence.seeking.Store(false)
	}
	return every
}

// heed does what the others' words ask for.
func (n *Node) heed() {
	n.mandate.mu.Lock()
	expelled, self := n.mandate.core.TakeNews()
	n.mandate.mu.Unlock()
	if expelled {
		n.life.Go(n.readopt)
	}
	if ms := n.membership(); self && ms != nil {
		n.log.Warn("the others went on without this member, which they could not call; they can again: it comes back empty")
		ms.Revive()
	}
}

// probeMissing looks whether members that a majority waits for have ended: a
// process that lives has its port open.
func (n *Node) probeMissing(members []quorum.Member) {
	for _, m := range members {
		if !n.refuses(m.Addr) {
			delete(n.evidence.refused, m.Addr)
			continue
		}
		n.evidence.refused[m.Addr]++
		if n.evidence.refused[m.Addr] >= refusals {
			n.log.Warn("a member is gone: its address refuses connections", "gone", m.Name, "addr", m.Addr)
			n.judge(func(c *quorum.Core, _ int64) { c.Ended(m.ID) })
			delete(n.evidence.refused, m.Addr)
		}
	}
}

// refuses reports whether nobody listens at an address.
func (n *Node) refuses(addr string) bool {
	ctx, cancel := context.WithTimeout(n.life.Context(), probeTime)
	defer cancel()
	conn, err := n.opts.Network.Dial(ctx, addr)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// probeExpelled calls members that this node goes on without: one that can be
// called is told, and comes back.
func (n *Node) probeExpelled(members []quorum.Member) {
	for _, m := range members {
		ctx, cancel := context.WithTimeout(n.life.Context(), probeTime)
		var w quorum.Word
		n.judge(func(c *quorum.Core, now int64) { w = c.Say(m.ID, now) })
		k := wire.NewCall(wire.OpFence, "", n.id)
		k.Req.View, k.Req.Value = w.View, w.Append(nil)
		_ = n.peers.peer(m.Addr).Call(ctx, &k.Req, &k.Resp)
		k.Free()
		cancel()
	}
}

// mayFound lets this node found a mesh once it knows that none is there: every
// address that it was told of is its own, or that of a member that has no mesh
// either, or has refused connections, or is a name without an address, for
// JoinTimeout. Unless an option says that it may be alone.
func (n *Node) mayFound(v *view.View) {
	ms := n.membership()
	if ms == nil {
		return
	}
	now, settled := n.clock.Now(), true
	quiet := func(addr string) {
		since, known := n.evidence.silent[addr]
		if !known {
			since = now
			n.evidence.silent[addr] = now
		}
		settled = settled && now-since >= int64(n.opts.JoinTimeout)
	}
	for _, seed := range ms.Told(n.life.Context()) {
		switch {
		case seed.Missing: // a name that has no address
			quiet(seed.Name)
		case seed.Member != nil:
			settled = settled && n.unfounded(v, *seed.Member)
		case n.opts.MayFound || n.refuses(seed.Addr):
			quiet(seed.Name + " " + seed.Addr)
		default:
			delete(n.evidence.silent, seed.Name+" "+seed.Addr)
			settled = false
		}
	}
	if settled {
		n.judge(func(c *quorum.Core, _ int64) { c.Found() })
	}
}

// unfounded reports whether a member of the view has said that it knows of no
// mesh that was founded.
func (n *Node) unfounded(v *view.View, m membership.Member) (ok bool) {
	if v == nil || !slices.ContainsFunc(v.Members, func(o quorum.Member) bool { return o.ID == m.ID() }) {
		return false
	}
	n.judge(func(c *quorum.Core, _ int64) {
		heard, founded := c.HeardOf(m.ID())
		ok = heard && !founded
	})
	return ok
}
