package cachemesh

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// What the tests outside the package may see of its inside.

// Operations and statuses of the wire that tests tell apart.
const (
	OpGet, OpSet, OpDelete, OpFence     = wire.OpGet, wire.OpSet, wire.OpDelete, wire.OpFence
	OpGetMany, OpClear, OpInvalidate    = wire.OpGetMany, wire.OpClear, wire.OpInvalidate
	OpRelay                             = wire.OpRelay
	OpDeleteMany, OpHandOver            = wire.OpDeleteMany, wire.OpHandOver
	StatusOK, StatusNotOwner            = wire.StatusOK, wire.StatusNotOwner
	StatusUnknownGroup, StatusUnsettled = wire.StatusUnknownGroup, wire.StatusUnsettled
	StatusInvalid, StatusOverloaded     = wire.StatusInvalid, wire.StatusOverloaded
	StatusNoRelay                       = wire.StatusNoRelay
	StatusRelayLost, FlagLease          = wire.StatusRelayLost, wire.FlagLease
)

// Lossless reports whether a type's values are handed out undecoded.
var Lossless = codec.Lossless

// FlushLog waits until the user's log handler has what the node has logged.
func FlushLog(n *Node) { n.logs.Flush(20 * time.Second) }

// OwnerAddr returns the address of the owner of a key as n sees it.
func OwnerAddr(n *Node, group, key string) string {
	if v := n.state.View(); v != nil {
		if o := v.Owner(ring.Hash(ring.Seed(group), key)); o != nil {
			return o.Addr
		}
	}
	return ""
}

// AwaitSettled waits until the node's view has settled with this many members.
func AwaitSettled(ctx context.Context, n *Node, members int) error {
	for {
		if v := n.state.View(); v != nil && len(v.Members) == members && v.Settled() {
			return nil
		}
		if err := n.life.Pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// Pause waits as the node's own loops do.
func Pause(ctx context.Context, n *Node, d time.Duration) error { return n.life.Pause(ctx, d) }

// Stored calls f for the keys of a group that a node stores, and says whether it
// owns them.
func Stored(n *Node, group string, f func(key string, owned bool)) {
	v, c := n.state.View(), n.group(group)
	if v == nil || c == nil {
		return
	}
	c.Store.Range(n.clock.Now(), func(hash uint64, e *store.Entry) bool {
		f(e.Key, v.Standing(hash) == view.OwnsIt)
		return true
	})
}

// RememberedFailures returns how many failures a group remembers, and what they take.
func RememberedFailures[V any](g *Group[V]) (keys int, bytes int64) {
	return g.core.Remembered()
}

// Waiting returns how many callers wait for the load of a key on this node.
func Waiting[V any](g *Group[V], key string) int {
	return g.core.Waiting(ring.Hash(g.core.Seed, key), key)
}

// Handle answers a request as one that came from a peer.
func Handle(ctx context.Context, n *Node, from string, req *httppool.Request, resp *httppool.Response) {
	h := peerHandler{n}
	if !h.ServeFast(from, req, resp) {
		*resp = httppool.Response{}
		h.Serve(ctx, from, req, resp)
	}
}

// CallPeer makes a call to an address, whether or not a member is known there.
func CallPeer(ctx context.Context, n *Node, addr string, op uint8, group, key string) error {
	k := wire.NewCall(op, group, key)
	defer k.Free()
	return n.pool.Peer(addr).Call(ctx, &k.Req, &k.Resp)
}

// RelayRequest returns a request to pass one on to a member.
func RelayRequest(n *Node, target string, view uint64, req *httppool.Request) *httppool.Request {
	return &httppool.Request{Op: wire.OpRelay, View: view, Key: target, Value: wire.PackRequest(req)}
}

// ParseRelayed parses a relayed request.
func ParseRelayed(b []byte) (httppool.Request, bool) { return wire.ParseRequest(b) }

// MemberID returns the id of a node.
func MemberID(n *Node) string { return n.id }

// ViewID returns the id of the node's view.
func ViewID(n *Node) uint64 {
	if v := n.state.View(); v != nil {
		return v.ID
	}
	return 0
}

// Park parks a list of values for a group that a request did not find.
func Park(n *Node, group string, list []byte) uint8 {
	var resp httppool.Response
	n.park(ViewID(n), group, list, &resp)
	return resp.Status
}

// ParkedBytes returns what n keeps for groups that are not registered, and for how
// many.
func ParkedBytes(n *Node) (bytes, groups int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.parked.bytes, len(n.parked.groups)
}

// invented counts the views that tests invented.
var invented atomic.Uint64

// AdoptLife makes n adopt its view anew with another life of a member, of which
// nobody else has heard, and reports whether it takes that view for settled.
func AdoptLife(n *Node, name string, life uint32) (settled bool) {
	mv := *n.membership().View()
	mv.Epoch += invented.Add(1)
	mv.Members = slices.Clone(mv.Members)
	for i := range mv.Members {
		if mv.Members[i].Name == name {
			mv.Members[i].Life = life
		}
	}
	n.settler.Adopt(&mv)
	return n.state.View().Settled()
}

// Judge lets n decide what it may do.
func Judge(n *Node) { n.settler.Judge() }

// SkewVersions makes the clock by which n numbers what it writes run ahead.
func SkewVersions(n *Node, ahead time.Duration) {
	n.clock.SeeVersion(n.clock.NextVersion() + uint64(ahead))
}

// GetAt asks a member for a key, as it is asked as the owner, whoever owns the key by
// now.
func GetAt[V any](ctx context.Context, g *Group[V], id, key string) error {
	c := g.core
	o := c.State.View().Peers[id]
	got, _ := c.GetAt(ctx, o, ring.Hash(c.Seed, key), key, 0, c.Clock.Now())
	return got.Err
}

// IsLeaving reports whether the node owns nothing any more.
func IsLeaving(n *Node) bool {
	v := n.state.View()
	return v != nil && v.Self < 0
}
