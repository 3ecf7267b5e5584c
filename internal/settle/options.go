package settle

import (
	"context"
	"log/slog"
	"net"
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
	// Own says that nobody outside v can act any more for what the node owns by it.
	Own(v *view.View)
	// Empty says that others went on without the node in v: what it owned before proves
	// nothing. It takes no lock of the settler's.
	Empty(v *view.View)
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

// Gossiped is the membership that a node is in, as far as it matters here. Its methods are
// called concurrently.
type Gossiped interface {
	// Told returns what the node was told to join, as it is now.
	Told(ctx context.Context) []membership.Seed
	// Revive begins another life of this node's, for others go on without it.
	Revive()
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

// setting is what the parts of a Settler stand on.
type setting struct {
	opts     Options
	holdings Holdings
	peers    Peers
	life     *life.Life
	clock    *clock.Clock
	state    *view.State
	writes   view.Writer
	log      *slog.Logger

	members atomic.Pointer[Gossiped] // nil before the node gossips
}

func newSetting(o Options, h Holdings, p Peers) *setting {
	return &setting{opts: o, holdings: h, peers: p, life: o.Life, clock: o.Clock, state: o.State, writes: o.Write, log: o.Log}
}
