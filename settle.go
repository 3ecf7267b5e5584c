package cachemesh

import (
	"context"
	"errors"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/membership"
)

// Settling is the fence between old owners and new ones. A member that adopts a
// view stops at once to serve what it lost, and asks every other member whether
// it adopted the same view. Until all have, it stores nothing of what it gained.
//
//  1. A joins. B and C adopt {A,B,C}: what A gains they drop, and hot copies that
//     came from a member that is not the owner any more.
//  2. A asks B and C. C has not heard of A yet: it answers no. A answers Gets by
//     loading without storing, and lets writes wait.
//  3. C adopts {A,B,C}. A asks again; both say yes: nobody will serve A's keys by
//     an older view. A has settled.
//
// A member that crashed is not asked. If it lives on, cut off, its own
// confirmation lapses: see Node.confirmed.
//
// The same question, repeated, keeps a settled member honest. Its confirmation
// runs MaxStale from when it sent the last question that everyone answered with
// yes. A member that was suspended or cut off finds it lapsed, and serves nothing
// it holds before it was confirmed again. Whoever had removed it meanwhile says
// so, and then all it holds gets at most MaxStale to live.

// settler drives settling. Its fields belong to the settle goroutine unless said
// otherwise.
type settler struct {
	node *Node
	kick chan struct{} // one slot: a view was adopted

	// stamps are what each member last said about when it took this node in.
	stamps map[string]uint64

	settledOnce bool

	unsettledSince int64 // when rounds began to fail; 0: the last one did not
}

const (
	confirmAlone   = math.MaxInt64 // nobody else can own what this node owns
	fenceRetryMin  = 10 * time.Millisecond
	fenceRetryMax  = 250 * time.Millisecond
	fenceCalls     = 32 // asked at once
	confirmPerSpan = 4  // rounds in MaxStale
	complainEvery  = time.Minute
)

func newSettler(n *Node) *settler {
	return &settler{node: n, kick: make(chan struct{}, 1), stamps: make(map[string]uint64)}
}

func (s *settler) poke() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// run settles view after view until the node closes.
func (s *settler) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	wait := fenceRetryMin
	for {
		select {
		case <-s.node.closing:
			return
		case <-s.kick:
			wait = fenceRetryMin
		case <-timer.C:
		}
		next := s.node.opts.MaxStale / confirmPerSpan
		if !s.round() {
			next, wait = wait, min(2*wait, fenceRetryMax)
		}
		timer.Reset(min(next, s.node.enforceLimits()))
	}
}

// round asks every member once. It reports whether all agree on this node's
// view. It ends early if another view comes, for the answers are of no use then.
func (s *settler) round() bool {
	v := s.node.view.Load()
	if v == nil {
		return false
	}
	sent, wakes := s.node.now(), s.node.wakes.Load()
	ctx, cancel := context.WithTimeout(s.node.closeCtx, s.node.opts.MaxStale/confirmPerSpan)
	defer cancel()
	answers := make(chan []fenceAnswer, 1)
	go func() { answers <- s.node.fenceAll(ctx, v) }()
	for {
		select {
		case <-s.kick:
			if s.node.view.Load() == v {
				continue
			}
			cancel()
			<-answers
			s.poke()
			return false
		case all := <-answers:
			if against := disagreeing(v, all); len(against) > 0 {
				s.complain(against)
				return false
			}
			if s.node.wakes.Load() != wakes {
				return false // answers from before this machine was suspended
			}
			s.unsettledSince = 0
			return s.settle(v, sent, all)
		}
	}
}

// disagreeing returns the names of those who do not act by the view.
func disagreeing(v *view, answers []fenceAnswer) (names []string) {
	for i, a := range answers {
		if !a.agrees {
			names = append(names, v.members[i].Name)
		}
	}
	return names
}

// complain says in the log, once a minute, who keeps the mesh from settling for
// longer than MaxStale: most likely gossip reaches it and peer calls do not.
func (s *settler) complain(names []string) {
	now := s.node.now()
	if s.unsettledSince == 0 {
		s.unsettledSince = now
	}
	if now-s.unsettledSince < int64(s.node.opts.MaxStale) {
		return
	}
	s.unsettledSince = now + int64(complainEvery-s.node.opts.MaxStale)
	s.node.log.Warn("these members do not agree on who is in the mesh, or cannot be called: until they do, nothing new is stored; "+
		"is their TCP port open?", "members", names)
}

// fenceAll asks the members of a view, in its order.
func (n *Node) fenceAll(ctx context.Context, v *view) []fenceAnswer {
	answers := make([]fenceAnswer, len(v.members))
	var g errgroup.Group
	g.SetLimit(fenceCalls)
	for i, m := range v.members {
		if m.ID() == n.id {
			answers[i].agrees = true
			continue
		}
		g.Go(func() error { answers[i] = n.fence(ctx, v, m); return nil })
	}
	g.Wait()
	return answers
}

// settle records a round in which everyone agreed.
func (s *settler) settle(v *view, sent int64, answers []fenceAnswer) bool {
	excluded, doubted := false, time.Duration(0)
	stamps := make(map[string]uint64, len(v.members))
	for i, m := range v.members {
		id := m.ID()
		doubted = max(doubted, answers[i].doubted)
		excluded = excluded || answers[i].stamp != s.stamps[id]
		stamps[id] = answers[i].stamp
	}
	n := s.node
	n.adopting.Lock()
	defer n.adopting.Unlock()
	if n.view.Load() != v {
		return false // a newer one came, and poked
	}
	if n.handing.Load() > 0 {
		return false // what is on its way may come back here
	}
	if excluded && s.settledOnce {
		// Somebody served without this node: what it holds may be outdated.
		n.limitHeld(n.now() + int64(n.opts.MaxStale))
		n.log.Warn("the mesh grew together again: values held here are dropped within MaxStale", "max_stale", n.opts.MaxStale)
	}
	s.stamps = stamps
	n.hearDoubts(sent + int64(doubted))
	until := sent + int64(n.opts.MaxStale)
	if len(v.members) == 1 {
		until = confirmAlone
	}
	s.node.confirmed.Store(until)
	if !v.settled.Swap(true) {
		s.settledOnce = true
		n.served = true
	}
	return true
}

// A fenceAnswer is what a member said to a fence call.
type fenceAnswer struct {
	agrees bool

	// stamp is the epoch in which the member took this node in, if it had served
	// without it before, else zero.
	stamp uint64

	doubted time.Duration // how much longer the member misses somebody; see doubts
}

// fence asks one member whether it adopted view v.
func (n *Node) fence(ctx context.Context, v *view, m membership.Member) fenceAnswer {
	k := newCall(opFence, "", n.id)
	defer k.free()
	k.req.View = v.id
	err := n.peers.peer(m.Addr).Call(ctx, &k.req, &k.resp)
	if err != nil || k.resp.Status != statusOK {
		return fenceAnswer{}
	}
	return fenceAnswer{agrees: k.resp.View == v.id, stamp: k.resp.Version, doubted: k.resp.TTL}
}

// serveFence answers a member's fence call. The view that this node has
// published is one by which it acts already: adopt drops what was lost first.
func (n *Node) serveFence(req *httppool.Request, resp *httppool.Response) {
	n.adopting.Lock()
	defer n.adopting.Unlock()
	v := n.view.Load()
	if v == nil {
		resp.Status = statusClosed
		return
	}
	resp.Status, resp.Version = statusOK, n.takenIn[req.Key]
	resp.TTL = n.doubts.doubted(v.members, n.now())
	if n.handing.Load() == 0 { // until then the new owners must not begin
		resp.View = v.id
	}
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
	if err := n.awaitSettled(ctx); err != nil && !n.isClosing() {
		n.log.Warn("the members do not agree on who they are yet: serving without storing what is new here", "err", err)
	}
}
