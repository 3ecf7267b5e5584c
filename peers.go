package cachemesh

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/endpoint"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/logqueue"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/settle"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Node is one member of the mesh. Its methods are called concurrently.
type Node struct {
	opts  Options         // validated, with defaults
	log   *slog.Logger    // through logs: it never calls the user's handler, so it may be used under locks
	logs  *logqueue.Queue // in front of Options.Logger
	clock clock.Clock     // zero of now is when the node was made
	life  *life.Life
	state *view.State // what the node believes, and may do

	end     *endpoint.Endpoint
	gossip  *endpoint.Gossip
	settler *settle.Settler  // nil if the node could not be made
	groups  *groups.Registry // nil if the node could not be made

	defaultKV *Group[[]byte]
}

// Addr returns the host:port that peers dial.
func (n *Node) Addr() string { return n.end.Addr }

// Name returns the member's name.
func (n *Node) Name() string { return n.end.Name }

// Handler returns the handler of peer connections, to be mounted under
// "/_cachemesh/" on a server of your own; see Options.ExternalServer. It needs
// HTTP/1.1.
func (n *Node) Handler() http.Handler { return n.end.Pool }

// String identifies the node in logs and test failures.
func (n *Node) String() string { return fmt.Sprintf("%s (%s)", n.end.Name, n.end.Addr) }

// Get returns the value of a key in the default group, which has no loader. The
// value is shared: do not change it. Errors: ErrNotFound, ErrInvalidKey,
// *PeerError, ErrClosed, ErrNotStarted. It waits at most Options.CallTimeout.
func (n *Node) Get(key []byte) ([]byte, error) {
	// A hit in this member's memory needs neither a copy of the key nor a timer.
	alias := unsafe.String(unsafe.SliceData(key), len(key))
	if c := n.defaultKV.core; wire.CheckKey(alias) == nil {
		if e := c.Hit(ring.Hash(c.Seed, alias), alias, n.clock.Now()); e != nil {
			if e.Negative {
				return nil, errs.ErrNotFound
			}
			return n.defaultKV.values.value(e)
		}
	}
	ctx, cancel := n.end.Ways.Bounded(context.Background())
	defer cancel()
	return n.defaultKV.Get(ctx, string(key))
}

// Set sets a key in the default group; a ttl of zero means until evicted. It
// copies key and value. See Group.Set for what it promises and for its errors.
// It waits at most Options.CallTimeout.
func (n *Node) Set(key, value []byte, ttl time.Duration) error {
	return n.defaultKV.Set(context.Background(), string(key), value, ttl)
}

// Delete deletes a key in the default group. See Group.Delete. It waits at most
// Options.CallTimeout.
func (n *Node) Delete(key []byte) error {
	return n.defaultKV.Delete(context.Background(), string(key))
}

// A Member is one process in the mesh, as this node sees it.
type Member struct {
	Name    string
	Addr    string // what peers dial
	Self    bool
	Leaving bool // it is shutting down and owns nothing any more
}

// A MemberView is how a member sees the mesh, as it told this node last.
type MemberView struct {
	Name        string
	Agrees      bool          // it sees the same members as this node
	Unreachable []string      // names of members that it has not been able to call for a few seconds, neither directly nor through others
	Age         time.Duration // since it said so; negative: it has said nothing since the members changed
}

// Members returns the members that this node knows of, itself included, sorted
// by name. It is empty before Start and after Close.
func (n *Node) Members() []Member {
	v := n.state.View()
	if v == nil {
		return nil
	}
	members := make([]Member, len(v.Members))
	for i, m := range v.Members {
		members[i] = Member{Name: m.Name, Addr: m.Addr, Self: m.ID == n.end.ID, Leaving: m.Leaving}
	}
	return members
}

// Views returns how each member sees the mesh, this node included, sorted by name. It asks nobody: members
// tell each other all the time. It is empty before Start and after Close.
func (n *Node) Views() []MemberView {
	seen := n.settler.Views()
	all := make([]MemberView, len(seen))
	for i, v := range seen {
		all[i] = MemberView(v)
	}
	return all
}

// Forget says that a member is gone for good, by its name: what waits for it does
// so no more. It is an operator's word against the mesh's own caution: if the
// member lives on and still acts, beyond a cut, two sides of it may both answer
// writes with nil. It reports whether anything waited for a member of that name.
// The others are told.
func (n *Node) Forget(name string) bool { return n.settler.Forget(name) }

func init() {
	seam.Inside = func(node any) seam.Node { return inside{node.(*Node)} }
}

// inside is a node as this module's own tests see it: a seam.Node.
type inside struct{ n *Node }

func (in inside) MemberID() string { return in.n.end.ID }

func (in inside) FlushLog() { in.n.logs.Flush(20 * time.Second) }

func (in inside) Judge() { in.n.settler.Judge() }

func (in inside) SkewVersions(ahead time.Duration) {
	in.n.clock.SeeVersion(in.n.clock.NextVersion() + uint64(ahead))
}

func (in inside) ViewID() uint64 {
	if v := in.n.state.View(); v != nil {
		return v.ID
	}
	return 0
}

func (in inside) OwnerAddr(group, key string) string {
	if v := in.n.state.View(); v != nil {
		if o := v.Owner(ring.Hash(ring.Seed(group), key)); o != nil {
			return o.Addr
		}
	}
	return ""
}

func (in inside) Stored(group string, f func(key string, owned bool)) {
	v, c := in.n.state.View(), in.n.groups.Open(group)
	if v == nil || c == nil {
		return
	}
	c.Store.Range(in.n.clock.Now(), func(hash uint64, e *store.Entry) bool {
		f(e.Key, v.Standing(hash) == view.OwnsIt)
		return true
	})
}

func (in inside) Parked() (bytes, groups int) {
	s := in.n.groups.Mover.Parking.Stats()
	return s.Bytes, s.Groups
}

func (in inside) Failures(group string) (keys int, bytes int64) {
	if c := in.n.groups.Open(group); c != nil {
		return c.Remembered()
	}
	return 0, 0
}

func (in inside) Handle(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	h := in.n.end.Handler
	if !h.ServeFast(from, req, resp) {
		*resp = httppool.Response{}
		h.Serve(ctx, from, req, resp)
	}
}

func (in inside) Call(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response) error {
	return in.n.end.Pool.Peer(addr).Call(ctx, req, resp)
}

func (in inside) GetAt(ctx context.Context, group, member, key string) error {
	c := in.n.groups.Open(group)
	got, _ := c.GetAt(ctx, c.State.View().Peers[member], ring.Hash(c.Seed, key), key, 0, c.Clock.Now())
	return got.Err
}

func (in inside) Park(group string, list []byte) uint8 {
	var resp httppool.Response
	in.n.groups.Mover.Park(in.ViewID(), group, list, &resp)
	return resp.Status
}

// invented counts the views that tests invented.
var invented atomic.Uint64

func (in inside) AdoptLife(name string, life uint32) (settled bool) {
	mv := *in.n.gossip.Membership().View()
	mv.Epoch += invented.Add(1)
	mv.Members = slices.Clone(mv.Members)
	for i := range mv.Members {
		if mv.Members[i].Name == name {
			mv.Members[i].Life = life
		}
	}
	in.n.settler.Adopt(&mv)
	return in.n.state.View().Settled()
}
