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

// Run asks, and acts by the answers, until the node closes.
func (s *Settler) Run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	again := lagRetryMin
	var last *view.View
	for {
		waited := again
		select {
		case <-s.life.Closing():
			return
		case <-s.asks.kick:
		case <-timer.C:
			again = min(2*again, fenceRetryMax)
		}
		if v := s.state.View(); v != last {
			last, again = v, lagRetryMin
		}
		s.dropHeld()
		timer.Reset(s.step(min(waited, again), again))
	}
}

// step asks whom it is time to ask, those that lag if they were asked so long before, and
// returns when to look again, for their sake after the time again.
func (s *Settler) step(waited, again time.Duration) time.Duration {
	every := s.opts.Right / perRight
	var ids []string
	next := every
	expelled := false
	s.mandate.judge(func(c *quorum.Core, now int64) {
		_, expelled = c.Expel(now)
		if due := c.Report(now); due > 0 {
			next = min(next, time.Duration(due))
		}
		ids = c.Ask(int64(waited), int64(every), now)
		if c.Lagging() {
			next = min(next, again)
		}
	})
	if expelled {
		s.life.Go(s.readopt)
	}
	v, vd := s.mandate.current()
	if v == nil {
		return next
	}
	for _, id := range ids {
		s.ask(v, id)
	}
	s.told.report(vd)
	if vd.Mode == quorum.Settled && v.Settled() && !s.state.Limited() {
		s.holdings.PayOwed()
	}
	now := s.clock.Now()
	for _, at := range []int64{vd.OwnFrom, vd.Right} { // something changes then
		if left := time.Duration(at - now); left > 0 {
			next = min(next, left)
		}
	}
	return min(next, s.evidence.seek(v, vd))
}

// dropHeld drops what must not be served any more, and lets the node act again.
// Values that nobody could load again stay: they carry versions.
func (s *Settler) dropHeld() {
	for {
		era, dropping := s.mandate.toDrop()
		if !dropping {
			return
		}
		s.holdings.DropBefore(era)
		s.WhileStill(func() { s.mandate.again(era) }) // no view is adopted meanwhile that follows one from before
	}
}

// ask asks one member of the view on a goroutine of its own. If a question is under way,
// which may not tell what is new, it is followed by another.
func (s *Settler) ask(v *view.View, id string) {
	q := question{id, v.ID}
	if !s.asks.begin(q) {
		return
	}
	started := s.life.Go(func() {
		for again := true; again; again = s.asks.again(q) {
			select {
			case s.asks.seat <- struct{}{}:
				s.askOnce(v, id)
				<-s.asks.seat
			case <-s.life.Closing():
				s.asks.end(q)
				return
			}
		}
	})
	if !started {
		s.asks.end(q)
	}
}

// askOnce asks one member of the view, once.
func (s *Settler) askOnce(v *view.View, id string) {
	ctx, cancel := context.WithTimeout(s.life.Context(), s.opts.Right/2)
	defer cancel()
	var w quorum.Word
	var sent int64
	s.mandate.judge(func(c *quorum.Core, now int64) { w, sent = c.Say(id, now), now })
	a, err := s.exchange(ctx, v, id, w)
	if s.life.IsClosing() {
		return
	}
	s.mandate.judge(func(c *quorum.Core, now int64) {
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
	s.mandate.judge(func(c *quorum.Core, now int64) { a = c.Asked(w, now) })
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
