package endpoint

import (
	"context"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/settle"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Handler answers peers. A request is answered from what this member owns
// or refused with wire.StatusNotOwner; it is never passed on, but for
// one that asks for just that, a relay, so two members that disagree cannot wait for each
// other.
type Handler struct {
	id      string // this member's
	state   *view.State
	ways    *reach.Ways
	settler *settle.Settler
	groups  *groups.Registry
}

// ServeFast answers what needs no waiting: hits, writes of keys without copies,
// invalidations.
func (h *Handler) ServeFast(from string, req *httppool.Request, resp *httppool.Response) bool {
	return h.groups.ServeFast(from, req, resp)
}

// Serve answers what may have to wait.
func (h *Handler) Serve(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	if req.Op == wire.OpFence {
		h.settler.Answer(req, resp) // before Start is done, too: it is there
		return
	}
	if _, err := h.state.Current(ctx); err != nil {
		resp.Status = wire.StatusClosed
		return
	}
	if req.Op == wire.OpRelay {
		h.serveRelay(ctx, from, req, resp)
		return
	}
	h.groups.Serve(ctx, from, req, resp)
}

// A relay is a wire: it calls the member that a request names once, and returns the
// answer unchanged. It never relays a relayed request, keeps nothing, asks for no copy,
// and answers from its own store only if it is the member named. What it did not pass on
// it says so, and what it may have passed on without an answer too, so that a writer knows
// what may have been applied.

// serveRelay passes a request on to the member that it names.
func (h *Handler) serveRelay(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	inner, ok := wire.ParseRequest(req.Value)
	v := h.state.View()
	switch {
	case !ok:
		resp.Status, resp.Message = wire.StatusInvalid, "malformed request to pass on"
		return
	case v == nil || v.ID != req.View:
		resp.Status, resp.Message = wire.StatusNoRelay, "the relay has another view of the mesh"
		return
	case req.Key == h.id:
		if !h.ServeFast(from, &inner, resp) {
			*resp = httppool.Response{}
			h.Serve(ctx, from, &inner, resp)
		}
		resp.Lease = 0
		return
	}
	o := v.Peers[req.Key]
	if o == nil || !h.ways.Lives(ctx, o) {
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
