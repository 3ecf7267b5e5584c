package cachemesh

import (
	"context"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

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
