package cachemesh

import (
	"context"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

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
