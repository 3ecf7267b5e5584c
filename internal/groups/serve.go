package groups

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// ServeFast answers a peer, if that needs no waiting: see serve.Server.Fast. The request
// may alias a buffer.
func (r *Registry) ServeFast(from string, req *httppool.Request, resp *httppool.Response) bool {
	if req.Op == wire.OpRenew {
		r.renewals.Serve(from, resp)
		return true
	}
	c := r.Open(req.Group)
	if req.Op == wire.OpCopies {
		return c != nil && c.Copies() != nil && c.Copies().ServeFast(req, resp)
	}
	return c != nil && c.server.Fast(from, req, resp)
}

// Serve answers a peer, whatever has to wait for that.
func (r *Registry) Serve(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	c := r.Open(req.Group)
	if req.Op == wire.OpDigest || req.Op == wire.OpCopies || req.Op == wire.OpClearing {
		r.serveCopies(ctx, c, req, resp)
		return
	}
	if c == nil {
		c = r.askFor(req)
	}
	if c == nil {
		r.serveUnknown(req, resp)
		return
	}
	defer func() {
		if resp.Status == wire.StatusUnknownGroup && c.IsCut() { // it was closed meanwhile
			*resp = httppool.Response{}
			r.Serve(ctx, from, req, resp)
		}
	}()
	if req.Op == wire.OpHandOver {
		r.Mover.Serve(ctx, &c.Part, req, resp)
		return
	}
	c.server.Serve(ctx, from, req, resp)
}

// askFor lets the user register a group that a peer wants to use, and returns it, or nil. What
// only forgets or looks needs no group, and what concerns copies may come while a view is adopted,
// when a group that keeps copies cannot be registered.
func (r *Registry) askFor(req *httppool.Request) *Core {
	switch req.Op {
	case wire.OpGet, wire.OpGetMany, wire.OpSet, wire.OpUpdate, wire.OpItem, wire.OpClaim, wire.OpHandOver:
	default:
		return nil
	}
	if r.unknown == nil {
		return nil
	}
	var err error
	func() {
		defer guard.Rescue(&err)
		r.unknown(strings.Clone(req.Group))
	}()
	if err != nil {
		r.setting.Log.Error("UnknownGroup panicked", append(guard.LogArgs(err), "group", req.Group)...)
		return nil
	}
	return r.Open(req.Group)
}

// startGrace is how long after its Start a member that does not know a group is taken to
// be about to register it.
const startGrace = 2 * time.Second

// isStarting reports whether groups may be registered here in a moment.
func (r *Registry) isStarting() bool {
	started := r.started.Load()
	return started == 0 || r.clock.Now()-started < int64(startGrace)
}

// serveUnknown answers a request about a group that is not registered here. While it may
// be yet, callers without a loader try again, and those with one load for themselves.
func (r *Registry) serveUnknown(req *httppool.Request, resp *httppool.Response) {
	resp.Status = wire.StatusUnknownGroup
	parking := &r.Mover.Parking
	var err error
	switch req.Op {
	case wire.OpGet, wire.OpGetMany, wire.OpSet, wire.OpUpdate, wire.OpItem, wire.OpClaim:
		if r.isStarting() || parking.IsHeir(req.Group) {
			resp.Status = wire.StatusUnsettled
		}
	case wire.OpHandOver:
		if v := r.state.View(); v == nil || v.ID != req.View {
			resp.Status = wire.StatusNotOwner
		} else {
			r.Mover.Park(req.View, req.Group, req.Value, resp)
		}
	case wire.OpDelete:
		err = parking.Unpark(req.Group, []string{req.Key})
	case wire.OpDeleteMany:
		keys, _ := wire.ParseKeys(req.Value) // nil if malformed: drop all
		err = parking.Unpark(req.Group, keys)
	case wire.OpClear:
		if err = errs.ErrUnsettled; r.state.ActsBy(req.View) {
			err = parking.Unpark(req.Group, nil)
		}
	case wire.OpDeleteTag, wire.OpDeletePrefix, wire.OpScan: // nobody here can tell what of it is parked
		if !r.state.ActsBy(req.View) || parking.IsHeir(req.Group) || parking.Holds(req.Group) {
			err = errs.ErrUnsettled
		}
	}
	switch { // then the caller looks again
	case errors.Is(err, errs.ErrNotOwner):
		resp.Status = wire.StatusNotOwner
	case errors.Is(err, errs.ErrClosed):
		resp.Status = wire.StatusClosed
	case err != nil:
		resp.Status = wire.StatusUnsettled
	}
}
