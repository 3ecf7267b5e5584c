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
	seekEvery = time.Second            // between looks for evidence
	probeTime = 500 * time.Millisecond // for one address
	refusals  = 3                      // in a row, before an address counts as given up
)

// evidence is what a node finds out about members that do not answer. Its fields
// belong to the goroutine that seeks, of which there is one at a time.
type evidence struct {
	*setting
	mandate *mandate

	seeking atomic.Bool
	next    atomic.Int64 // when to look again, on the node's clock

	founding time.Duration // the last pause between looks whether a mesh may be founded; of the settle goroutine

	refused map[string]int   // times in a row that an address refused a connection, by address
	silent  map[string]int64 // since when a bootstrap address refused, or a name had no address
}

func newEvidence(s *setting, m *mandate) *evidence {
	return &evidence{setting: s, mandate: m, refused: make(map[string]int), silent: make(map[string]int64)}
}

// seek looks, once in a while and if it matters, for what ends a wait:
// members that are over, bootstrap nodes that are not there, members that were
// put out and can be called again. It returns when it wants to be called again.
func (e *evidence) seek(v *view.View, vd quorum.Verdict) time.Duration {
	now := e.clock.Now()
	if left := time.Duration(e.next.Load() - now); left > 0 {
		return left
	}
	var waits, out []quorum.Member
	founding := false
	e.mandate.judge(func(c *quorum.Core, now int64) {
		waits, out = c.WaitsFor(now), c.Expelled()
		founding = vd.Mode != quorum.Settled && !c.HasBase()
	})
	every := seekEvery
	if founding { // its users wait for it
		e.founding = min(max(2*e.founding, fenceRetryMin), seekEvery)
		every = e.founding
	}
	e.next.Store(now + int64(every))
	if !e.seeking.CompareAndSwap(false, true) {
		return every
	}
	if len(waits) == 0 && len(out) == 0 && !founding {
		clear(e.refused) // refusals of long ago do not count with later ones
		clear(e.silent)
		e.seeking.Store(false)
		return every
	}
	ok := e.life.Go(func() {
		defer e.seeking.Store(false)
		e.probeMissing(waits)
		e.probeExpelled(out)
		if founding {
			e.mayFound(v)
		}
	})
	if !ok {
		e.seeking.Store(false)
	}
	return every
}

// probeMissing looks whether members that a majority waits for have ended: a
// process that lives has its port open.
func (e *evidence) probeMissing(members []quorum.Member) {
	for _, m := range members {
		if !e.refuses(m.Addr) {
			delete(e.refused, m.Addr)
			continue
		}
		e.refused[m.Addr]++
		if e.refused[m.Addr] >= refusals {
			e.log.Warn("a member is gone: its address refuses connections", "peer", m.Name, "addr", m.Addr)
			e.mandate.judge(func(c *quorum.Core, _ int64) { c.Ended(m.ID) })
			delete(e.refused, m.Addr)
		}
	}
}

// refuses reports whether nobody listens at an address.
func (e *evidence) refuses(addr string) bool {
	ctx, cancel := context.WithTimeout(e.life.Context(), probeTime)
	defer cancel()
	conn, err := e.opts.Dial(ctx, addr)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// probeExpelled calls members that this node goes on without: one that can be
// called is told, and comes back.
func (e *evidence) probeExpelled(members []quorum.Member) {
	for _, m := range members {
		ctx, cancel := context.WithTimeout(e.life.Context(), probeTime)
		var w quorum.Word
		e.mandate.judge(func(c *quorum.Core, now int64) { w = c.Say(m.ID, now) })
		k := wire.NewCall(wire.OpFence, "", e.opts.Self.ID)
		k.Req.View, k.Req.Value = w.View, w.Append(nil)
		_ = e.peers.Peer(m.Addr).Call(ctx, &k.Req, &k.Resp)
		k.Free()
		cancel()
	}
}

// mayFound lets this node found a mesh once it knows that none is there: every
// address that it was told of is its own, or that of a member that has no mesh
// either, or has refused connections, or is a name without an address, for
// JoinTimeout. Unless an option says that it may be alone.
func (e *evidence) mayFound(v *view.View) {
	ms := e.members.Load()
	if ms == nil {
		return
	}
	now, settled := e.clock.Now(), true
	quiet := func(addr string) {
		since, known := e.silent[addr]
		if !known {
			since = now
			e.silent[addr] = now
		}
		settled = settled && now-since >= int64(e.opts.JoinTimeout)
	}
	for _, seed := range (*ms).Told(e.life.Context()) {
		switch {
		case seed.Missing: // a name that has no address
			quiet(seed.Name)
		case seed.Member != nil:
			settled = settled && e.unfounded(v, *seed.Member)
		case e.opts.MayFound || e.refuses(seed.Addr):
			quiet(seed.Name + " " + seed.Addr)
		default:
			delete(e.silent, seed.Name+" "+seed.Addr)
			settled = false
		}
	}
	if settled {
		e.mandate.judge(func(c *quorum.Core, _ int64) { c.Found() })
	}
}

// unfounded reports whether a member of the view has said that it knows of no
// mesh that was founded.
func (e *evidence) unfounded(v *view.View, m membership.Member) (ok bool) {
	if v == nil || !slices.ContainsFunc(v.Members, func(o quorum.Member) bool { return o.ID == m.ID() }) {
		return false
	}
	e.mandate.judge(func(c *quorum.Core, _ int64) {
		heard, founded := c.HeardOf(m.ID())
		ok = heard && !founded
	})
	return ok
}
