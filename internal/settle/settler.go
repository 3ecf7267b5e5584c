package settle

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
	"github.com/praveenduddu/cachemesh/membership"
)

// Options are what a Settler has to know. Times are those of the node's options.
type Options struct {
	Self quorum.Member // Life is 1

	Right, Lease, MaxStale, JoinTimeout, ForgetAfter time.Duration

	// Alone says that nobody else is there to be joined. MayFound says that addresses
	// which are silent need not be waited for.
	Alone, MayFound bool

	Dial func(ctx context.Context, addr string) (net.Conn, error)

	Life  *life.Life
	Clock *clock.Clock
	State *view.State
	Write view.Writer // of State; nobody else changes it while the node serves
	Log   *slog.Logger
}

// Holdings are what the node holds. Their methods are called one at a time, but Moving
// and PayOwed, which do not wait.
type Holdings interface {
	// DropLost drops what the node does not own in v any more, and hands over what nobody
	// could load again; if others go on without it, all hot copies too.
	DropLost(v *view.View, others bool)
	// DropBefore drops what was stored before an era and can be loaded again, and all hot
	// copies.
	DropBefore(era uint32)
	// Moving reports whether new owners must wait for what the node still does.
	Moving() bool
	// ValuesMove reports whether values are on their way from here, or came a moment ago.
	ValuesMove() bool
	// PayOwed makes the mesh forget what was written on a minority's side, in the background.
	PayOwed()
}

// Peers are the ways to other members. Their methods are called concurrently.
type Peers interface {
	// Peer returns what calls an address, without calling it.
	Peer(addr string) wire.Peer
	// CallMember calls a member, through others if need be.
	CallMember(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response) error
	// Renew forgets what was noted of an address at which the process id is now.
	Renew(addr, id string)
	// Forget forgets the addresses that are gone, and those that peers named, but not those of
	// members.
	Forget(gone []string, members []quorum.Member)
}

// A Settler settles the views of one node. Its methods are called concurrently.
type Settler struct {
	opts     Options
	holdings Holdings
	peers    Peers
	life     *life.Life
	clock    *clock.Clock
	state    *view.State
	writes   view.Writer
	log      *slog.Logger

	members atomic.Pointer[membership.Membership] // nil before the node gossips

	adopting sync.Mutex       // held while a view is adopted, so that views follow each other; guards the fields below
	gossiped *membership.View // the latest; nil before the first was adopted
	absent   absent

	mandate  mandate  // has a lock of its own
	evidence evidence // belongs to the goroutine that seeks it
	told     reporter // belongs to Run
	asks     asks
}

// asks are the questions under way.
type asks struct {
	kick chan struct{} // one slot: there is something to do
	seat chan struct{} // one per question under way

	mu    sync.Mutex            // guards under
	under map[question]struct{} // questions under way
}

// New returns a settler, which does nothing before Run.
func New(o Options, h Holdings, p Peers) *Settler {
	s := &Settler{opts: o, holdings: h, peers: p, life: o.Life, clock: o.Clock, state: o.State, writes: o.Write, log: o.Log}
	s.absent = absent{missing: make(map[string]missed), after: int64(o.ForgetAfter)}
	s.evidence = evidence{refused: make(map[string]int), silent: make(map[string]int64)}
	s.asks = asks{kick: make(chan struct{}, 1), seat: make(chan struct{}, fenceCalls), under: make(map[question]struct{})}
	s.mandate.core = quorum.New(quorum.Config{
		Self: o.Self, Right: int64(o.Right), Lease: int64(o.Lease),
		Unreachable: int64(unreachable), ForgetAfter: int64(o.ForgetAfter),
	})
	if o.Alone {
		s.mandate.core.Found()
	}
	return s
}

// Gossip says which membership the node is in, before Run.
func (s *Settler) Gossip(ms *membership.Membership) { s.members.Store(ms) }

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
func (s *Settler) GiveUp() { s.judge(func(c *quorum.Core, _ int64) { c.GiveUp() }) }

// Wake says that the machine may have been suspended: nothing is served until the others
// have confirmed it.
func (s *Settler) Wake() {
	s.judge(func(c *quorum.Core, now int64) { c.Wake(now) })
	s.Poke()
}

// Judge decides anew what the node may do.
func (s *Settler) Judge() { s.judge(nil) }

// AwaitVoted waits until the view in which this node leaves has settled, so that
// the others count without it, but for Options.Right at most. If they cannot be reached
// it goes all the same, and they miss it.
func (s *Settler) AwaitVoted(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Right)
	defer cancel()
	for {
		s.mandate.mu.Lock()
		voted := s.mandate.verdict.Mode != quorum.Unsettled && s.mandate.view != nil && s.mandate.view.Self < 0
		s.mandate.mu.Unlock()
		if voted || s.life.Pause(ctx, fenceRetryMin) != nil {
			return
		}
	}
}

// A Standing is by what right a node answers, and whom it misses.
type Standing struct {
	Mode               string
	Since              time.Duration // the mode changed
	Primary            uint64
	WaitsFor, Expelled []string // names
	Unreachable        []string // IDs
	Missing            int
}

// Standing says by what right the node answers.
func (s *Settler) Standing() (st Standing) {
	s.adopting.Lock()
	st.Missing = len(s.absent.missing)
	s.adopting.Unlock()
	m, now := &s.mandate, s.clock.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
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
