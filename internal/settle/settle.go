// Package settle turns the views of the membership into a member's own, and decides until
// when it may act by them. It drives package quorum, which has the rules, with the clock, the
// network and what the member holds.
//
// Settling is the fence between old owners and new ones, and the answer to who
// may go on at all. A member that adopts a view stops at once to serve what it
// lost, and asks every other member whether it adopted the same view, and then
// for its vote. Until all have voted, it stores nothing of what it gained.
//
//  1. A joins. B and C adopt {A,B,C}: what A gains they drop, and hot copies that
//     came from a member that is not the owner any more.
//  2. A asks B and C. C has not heard of A yet: it answers that it holds another
//     view. A answers Gets by loading without storing, and lets writes wait.
//  3. C adopts {A,B,C} and asks. All vote: nobody will serve A's keys by an older
//     view. The view has settled.
//
// The same question, repeated, keeps a member of a settled view in its right to
// act. What the answers mean is decided in package quorum.
package settle

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// question tells questions apart: a member has at most one of a view.
type question struct {
	id   string
	view uint64
}

const (
	fenceRetryMin = 10 * time.Millisecond
	fenceRetryMax = 250 * time.Millisecond
	fenceCalls    = 64 // questions at once
	perRight      = 4  // questions while a right lasts
)

// Poke says that there is something to do.
func (s *Settler) Poke() {
	select {
	case s.asks.kick <- struct{}{}:
	default:
	}
}

// Run asks, and acts by the answers, until the node closes.
func (s *Settler) Run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	again := fenceRetryMin
	var last *view.View
	for {
		select {
		case <-s.life.Closing():
			return
		case <-s.asks.kick:
		case <-timer.C:
			again = min(2*again, fenceRetryMax)
		}
		if v := s.state.View(); v != last {
			last, again = v, fenceRetryMin
		}
		s.dropHeld()
		timer.Reset(s.step(again))
	}
}

// step asks whom it is time to ask, and returns when to look again.
func (s *Settler) step(again time.Duration) time.Duration {
	every := s.opts.Right / perRight
	var ids []string
	var vd quorum.Verdict
	next := every
	expelled := false
	s.judge(func(c *quorum.Core, now int64) {
		_, expelled = c.Expel(now)
		if due := c.Report(now); due > 0 {
			next = min(next, time.Duration(due))
		}
		ids = c.Ask(int64(again), int64(every), now)
		if c.Lagging() {
			next = min(next, again)
		}
	})
	if expelled {
		s.life.Go(s.readopt)
	}
	s.mandate.mu.Lock()
	vd = s.mandate.verdict
	v := s.mandate.view
	s.mandate.mu.Unlock()
	if v == nil {
		return next
	}
	for _, id := range ids {
		s.ask(v, id)
	}
	s.report(vd)
	if vd.Mode == quorum.Settled && v.Settled() && !s.state.Limited() {
		s.holdings.PayOwed()
	}
	now := s.clock.Now()
	for _, at := range []int64{vd.OwnFrom, vd.Right} { // something changes then
		if left := time.Duration(at - now); left > 0 {
			next = min(next, left)
		}
	}
	return min(next, s.seekEvidence(v, vd))
}

// ask asks one member of the view on a goroutine of its own, unless a question is
// under way.
func (s *Settler) ask(v *view.View, id string) {
	q := question{id, v.ID}
	s.asks.mu.Lock()
	defer s.asks.mu.Unlock()
	if _, under := s.asks.under[q]; under {
		return
	}
	s.asks.under[q] = struct{}{}
	started := s.life.Go(func() {
		defer func() {
			s.asks.mu.Lock()
			delete(s.asks.under, q)
			s.asks.mu.Unlock()
		}()
		select {
		case s.asks.seat <- struct{}{}:
			defer func() { <-s.asks.seat }()
			s.question(v, id)
		case <-s.life.Closing():
		}
	})
	if !started {
		delete(s.asks.under, q)
	}
}

// question asks one member of the view, once.
func (s *Settler) question(v *view.View, id string) {
	ctx, cancel := context.WithTimeout(s.life.Context(), s.opts.Right/2)
	defer cancel()
	var w quorum.Word
	var sent int64
	s.judge(func(c *quorum.Core, now int64) { w, sent = c.Say(id, now), now })
	a, err := s.exchange(ctx, v, id, w)
	if s.life.IsClosing() {
		return
	}
	s.judge(func(c *quorum.Core, now int64) {
		if err != nil {
			c.Unreached(id, now)
			return
		}
		if a.View == w.View {
			c.Reached(id)
		} else { // who never comes to agree holds the others up as one does that cannot be called
			c.Unreached(id, now)
		}
		c.Answered(id, w, sent, a, now)
	})
	s.heed()
}

// exchange sends a word to a member and returns its answer.
func (s *Settler) exchange(ctx context.Context, v *view.View, id string, w quorum.Word) (quorum.Word, error) {
	o := v.Peers[id]
	if o == nil {
		return quorum.Word{}, errs.ErrNotOwner
	}
	k := wire.NewCall(wire.OpFence, "", s.opts.Self.ID)
	defer k.Free()
	k.Req.View, k.Req.Value, k.Req.Idempotent = w.View, w.Append(nil), true
	if err := s.peers.CallMember(ctx, o, &k.Req, &k.Resp); err != nil {
		return quorum.Word{}, err
	}
	if k.Resp.Status != wire.StatusOK {
		return quorum.Word{}, nil // it is there, and closing
	}
	return quorum.Parse(k.Resp.Value)
}

// Answer answers a member's question.
func (s *Settler) Answer(req *httppool.Request, resp *httppool.Response) {
	w, err := quorum.Parse(req.Value)
	if err != nil {
		resp.Status, resp.Message = wire.StatusInvalid, err.Error()
		return
	}
	var a quorum.Word
	s.judge(func(c *quorum.Core, now int64) { a = c.Asked(w, now) })
	resp.Status, resp.View, resp.Value = wire.StatusOK, a.View, a.Append(nil)
	s.heed()
}

// awaitSettled waits until the node's view has settled.
func (s *Settler) awaitSettled(ctx context.Context) error {
	for {
		v, err := s.state.Current(ctx)
		if err != nil {
			return err
		}
		if v.Settled() {
			return nil
		}
		if err := s.life.Pause(ctx, fenceRetryMin); err != nil {
			if errors.Is(err, errs.ErrClosed) {
				return err
			}
			return errors.Join(errs.ErrUnsettled, err)
		}
	}
}

// AwaitMesh waits until the node's first view has settled, or JoinTimeout is
// over: then the members are slow to agree, and operations wait for it
// themselves where they must.
func (s *Settler) AwaitMesh() {
	ctx, cancel := context.WithTimeout(s.life.Context(), s.opts.JoinTimeout)
	defer cancel()
	switch err := s.awaitSettled(ctx); {
	case err == nil || s.life.IsClosing():
	case s.holdings.ValuesMove():
		s.log.Info("values are still being handed over to this member: until all have come it serves without storing what is new here")
	default:
		s.log.Warn("the members do not agree on who they are yet: serving without storing what is new here", "err", err)
	}
}
