package cachemesh

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/quorum"
)

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

// settler asks the members, again and again.
type settler struct {
	node *Node
	kick chan struct{} // one slot: there is something to do
	seat chan struct{} // one per question under way

	told reporter

	mu     sync.Mutex            // guards asking
	asking map[question]struct{} // questions under way
}

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

func newSettler(n *Node) *settler {
	return &settler{node: n, kick: make(chan struct{}, 1), seat: make(chan struct{}, fenceCalls), asking: make(map[question]struct{})}
}

func (s *settler) poke() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// run asks, and acts by the answers, until the node closes.
func (s *settler) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	again := fenceRetryMin
	var last *view
	for {
		select {
		case <-s.node.closing:
			return
		case <-s.kick:
		case <-timer.C:
			again = min(2*again, fenceRetryMax)
		}
		if v := s.node.view.Load(); v != last {
			last, again = v, fenceRetryMin
		}
		s.node.dropHeld()
		timer.Reset(s.step(again))
	}
}

// step asks whom it is time to ask, and returns when to look again.
func (s *settler) step(again time.Duration) time.Duration {
	n := s.node
	every := n.opts.Right / perRight
	var ids []string
	var vd quorum.Verdict
	next := every
	expelled := false
	n.judge(func(c *quorum.Core, now int64) {
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
		n.spawn(n.readopt)
	}
	n.mandate.mu.Lock()
	vd = n.mandate.verdict
	v := n.mandate.view
	n.mandate.mu.Unlock()
	if v == nil {
		return next
	}
	for _, id := range ids {
		s.ask(v, id)
	}
	n.report(vd)
	if vd.Mode == quorum.Settled && v.settled.Load() && !n.limited() {
		n.payOwed()
	}
	now := n.now()
	for _, at := range []int64{vd.OwnFrom, vd.Right} { // something changes then
		if left := time.Duration(at - now); left > 0 {
			next = min(next, left)
		}
	}
	return min(next, n.seekEvidence(v, vd))
}

// ask asks one member of the view on a goroutine of its own, unless a question is
// under way.
func (s *settler) ask(v *view, id string) {
	q := question{id, v.id}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, under := s.asking[q]; under {
		return
	}
	s.asking[q] = struct{}{}
	started := s.node.spawn(func() {
		defer func() {
			s.mu.Lock()
			delete(s.asking, q)
			s.mu.Unlock()
		}()
		select {
		case s.seat <- struct{}{}:
			defer func() { <-s.seat }()
			s.node.question(v, id)
		case <-s.node.closing:
		}
	})
	if !started {
		delete(s.asking, q)
	}
}

// question asks one member of the view, once.
func (n *Node) question(v *view, id string) {
	ctx, cancel := context.WithTimeout(n.closeCtx, n.opts.Right/2)
	defer cancel()
	var w quorum.Word
	var sent int64
	n.judge(func(c *quorum.Core, now int64) { w, sent = c.Say(id, now), now })
	a, err := n.exchange(ctx, v, id, w)
	if n.isClosing() {
		return
	}
	n.judge(func(c *quorum.Core, now int64) {
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
	n.heed()
}

// exchange sends a word to a member and returns its answer.
func (n *Node) exchange(ctx context.Context, v *view, id string, w quorum.Word) (quorum.Word, error) {
	o := v.peers[id]
	if o == nil {
		return quorum.Word{}, errNotOwner
	}
	k := newCall(opFence, "", n.id)
	defer k.free()
	k.req.View, k.req.Value, k.req.Idempotent = w.View, w.Append(nil), true
	if err := n.callMember(ctx, o, &k.req, &k.resp); err != nil {
		return quorum.Word{}, err
	}
	if k.resp.Status != statusOK {
		return quorum.Word{}, nil // it is there, and closing
	}
	return quorum.Parse(k.resp.Value)
}

// serveFence answers a member's question.
func (n *Node) serveFence(req *httppool.Request, resp *httppool.Response) {
	w, err := quorum.Parse(req.Value)
	if err != nil {
		resp.Status, resp.Message = statusInvalid, err.Error()
		return
	}
	var a quorum.Word
	n.judge(func(c *quorum.Core, now int64) { a = c.Asked(w, now) })
	resp.Status, resp.View, resp.Value = statusOK, a.View, a.Append(nil)
	n.heed()
}

// awaitSettled waits until the node's view has settled.
func (n *Node) awaitSettled(ctx context.Context) error {
	for {
		v, err := n.currentView(ctx)
		if err != nil {
			return err
		}
		if v.settled.Load() {
			return nil
		}
		if err := n.pause(ctx, fenceRetryMin); err != nil {
			if errors.Is(err, ErrClosed) {
				return err
			}
			return errors.Join(ErrUnsettled, err)
		}
	}
}

// awaitMesh waits until the node's first view has settled, or JoinTimeout is
// over: then the members are slow to agree, and operations wait for it
// themselves where they must.
func (n *Node) awaitMesh() {
	ctx, cancel := context.WithTimeout(n.closeCtx, n.opts.JoinTimeout)
	defer cancel()
	switch err := n.awaitSettled(ctx); {
	case err == nil || n.isClosing():
	case n.valuesMove(n.now()):
		n.log.Info("values are still being handed over to this member: until all have come it serves without storing what is new here")
	default:
		n.log.Warn("the members do not agree on who they are yet: serving without storing what is new here", "err", err)
	}
}
