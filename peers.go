package cachemesh

import (
	"context"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// poolTransport is the real transport.
type poolTransport struct {
	pool *httppool.Pool
	wrap func(addr string, next seam.Caller) seam.Caller // nil: none
}

func (t poolTransport) Peer(addr string) wire.Peer {
	if t.wrap != nil {
		return t.wrap(addr, t.pool.Peer(addr))
	}
	return t.pool.Peer(addr)
}

func (t poolTransport) Forget(addr string) { t.pool.Forget(addr) }

func (t poolTransport) Ping(ctx context.Context, addr string) error {
	return t.pool.Peer(addr).Ping(ctx)
}

// peerHandler answers peers. A request is answered from what this member owns
// or refused with wire.StatusNotOwner; it is never passed on, so two members that
// disagree cannot wait for each other.
type peerHandler struct{ node *Node }

// ServeFast answers what needs no waiting: hits, writes of keys without leases,
// invalidations.
func (h peerHandler) ServeFast(from string, req *httppool.Request, resp *httppool.Response) bool {
	c := h.node.group(req.Group)
	return c != nil && c.server.Fast(from, req, resp)
}

// Serve answers what may have to wait.
func (h peerHandler) Serve(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	if req.Op == wire.OpFence {
		h.node.settler.Answer(req, resp) // before Start is done, too: it is there
		return
	}
	if _, err := h.node.state.Current(ctx); err != nil {
		resp.Status = wire.StatusClosed
		return
	}
	if req.Op == wire.OpRelay {
		h.node.serveRelay(ctx, from, req, resp)
		return
	}
	c := h.node.group(req.Group)
	if c == nil {
		h.node.serveUnknown(req, resp)
		return
	}
	defer func() {
		if resp.Status == wire.StatusUnknownGroup && c.IsCut() { // it was closed meanwhile
			*resp = httppool.Response{}
			h.Serve(ctx, from, req, resp)
		}
	}()
	if req.Op == wire.OpHandOver {
		c.serveHandOver(ctx, req, resp)
		return
	}
	c.server.Serve(ctx, from, req, resp)
}

// A relay is a wire: it calls the member that a request names once, and returns the
// answer unchanged. It never relays a relayed request, keeps nothing, asks for no lease,
// and answers from its own store only if it is the member named. What it did not pass on
// it says so, and what it may have passed on without an answer too, so that a writer knows
// what may have been applied.

// serveRelay passes a request on to the member that it names.
func (n *Node) serveRelay(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	inner, ok := wire.ParseRequest(req.Value)
	v := n.state.View()
	switch {
	case !ok:
		resp.Status, resp.Message = wire.StatusInvalid, "malformed request to pass on"
		return
	case v == nil || v.ID != req.View:
		resp.Status, resp.Message = wire.StatusNoRelay, "the relay has another view of the mesh"
		return
	case req.Key == n.id:
		if h := (peerHandler{n}); !h.ServeFast(from, &inner, resp) {
			*resp = httppool.Response{}
			h.Serve(ctx, from, &inner, resp)
		}
		resp.Lease = 0
		return
	}
	o := v.Peers[req.Key]
	if o == nil || !n.ways.Lives(ctx, o) {
		resp.Status, resp.Message = wire.StatusNoRelay, "the relay cannot reach the member either"
		return
	}
	switch err := o.Peer.Call(ctx, &inner, resp); {
	case err == nil:
		resp.Lease = 0
	case reach.WasSent(err):
		*resp = httppool.Response{Status: wire.StatusRelayLost, Message: wire.Clip(err.Error())}
	default:
		*resp = httppool.Response{Status: wire.StatusNoRelay, Message: wire.Clip(err.Error())}
	}
}
