package cachemesh

import (
	"context"
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// What the tests outside the package may see of its inside.

// Operations and statuses of the wire that tests tell apart.
const (
	OpGet, OpSet, OpDelete, OpFence     = opGet, opSet, opDelete, opFence
	OpGetMany, OpClear, OpInvalidate    = opGetMany, opClear, opInvalidate
	OpRelay                             = opRelay
	OpDeleteMany, OpHandOver            = opDeleteMany, opHandOver
	StatusOK, StatusNotOwner            = statusOK, statusNotOwner
	StatusUnknownGroup, StatusUnsettled = statusUnknownGroup, statusUnsettled
	StatusInvalid, StatusOverloaded     = statusInvalid, statusOverloaded
	StatusNoRelay                       = statusNoRelay
	StatusRelayLost, FlagLease          = statusRelayLost, flagLease
)

// Lossless reports whether a type's values are handed out undecoded.
var Lossless = lossless

// FlushLog waits until the user's log handler has what the node has logged.
func FlushLog(n *Node) { n.logs.Flush(20 * time.Second) }

// OwnerAddr returns the address of the owner of a key as n sees it.
func OwnerAddr(n *Node, group, key string) string {
	if v := n.view.Load(); v != nil {
		if o := v.owner(ring.Hash(ring.Seed(group), key)); o != nil {
			return o.addr
		}
	}
	return ""
}

// AwaitSettled waits until the node's view has settled with this many members.
func AwaitSettled(ctx context.Context, n *Node, members int) error {
	for {
		if v := n.view.Load(); v != nil && len(v.members) == members && v.settled.Load() {
			return nil
		}
		if err := n.pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// Pause waits as the node's own loops do.
func Pause(ctx context.Context, n *Node, d time.Duration) error { return n.pause(ctx, d) }

// Stored calls f for the keys of a group that a node stores, and says whether it
// owns them.
func Stored(n *Node, group string, f func(key string, owned bool)) {
	v, c := n.view.Load(), n.group(group)
	if v == nil || c == nil {
		return
	}
	c.store.Range(n.now(), func(hash uint64, e *store.Entry) bool {
		f(e.Key, v.standing(hash) == ownsIt)
		return true
	})
}

// RememberedFailures returns how many failures a group remembers, and what they take.
func RememberedFailures[V any](g *Group[V]) (keys int, bytes int64) {
	b := g.core.setbacks
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.keys), b.bytes
}

// Waiting returns how many callers wait for the load of a key on this node.
func Waiting[V any](g *Group[V], key string) int {
	s := g.core.shard(ring.Hash(g.core.seed, key))
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lanes[key]; l != nil && l.joinable() != nil {
		return l.joinable().waiters
	}
	return 0
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
	k := newCall(op, group, key)
	defer k.free()
	return n.pool.Peer(addr).Call(ctx, &k.req, &k.resp)
}

// RelayRequest returns a request to pass one on to a member.
func RelayRequest(n *Node, target string, view uint64, req *httppool.Request) *httppool.Request {
	return &httppool.Request{Op: opRelay, View: view, Key: target, Value: packRequest(req)}
}

// ParseRelayed parses a relayed request.
func ParseRelayed(b []byte) (httppool.Request, bool) { return parseRequest(b) }

// MemberID returns the id of a node.
func MemberID(n *Node) string { return n.id }

// ViewID returns the id of the node's view.
func ViewID(n *Node) uint64 {
	if v := n.view.Load(); v != nil {
		return v.id
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

// AdoptLife makes n adopt its view anew with another life of a member, of which
// nobody else has heard, and reports whether it takes that view for settled.
func AdoptLife(n *Node, name string, life uint32) (settled bool) {
	n.adopting.Lock()
	defer n.adopting.Unlock()
	mv := *n.gossiped
	mv.Members = slices.Clone(mv.Members)
	for i := range mv.Members {
		if mv.Members[i].Name == name {
			mv.Members[i].Life = life
		}
	}
	n.gossiped = &mv
	n.adoptLocked(nil, false)
	return n.view.Load().settled.Load()
}

// Judge lets n decide what it may do.
func Judge(n *Node) { n.judge(nil) }

// SkewVersions makes the clock by which n numbers what it writes run ahead.
func SkewVersions(n *Node, ahead time.Duration) { n.seeVersion(n.nextVersion() + uint64(ahead)) }

// GetAt asks a member for a key, as it is asked as the owner, whoever owns the key by
// now.
func GetAt[V any](ctx context.Context, g *Group[V], id, key string) error {
	c := g.core
	o := c.node.view.Load().peers[id]
	got, _ := c.getAt(ctx, o, ring.Hash(c.seed, key), key, 0, c.node.now())
	return got.err
}

// IsLeaving reports whether the node owns nothing any more.
func IsLeaving(n *Node) bool {
	v := n.view.Load()
	return v != nil && v.self < 0
}
