package route

import (
	"context"
	"errors"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// An ask is one call to a member about keys of a group.
type ask struct {
	*Router
	to   *view.Owner
	call *wire.Call
}

// do makes the call and turns the answer into an error. Transport failures
// become *PeerError, except that an ended context is returned as itself where
// nothing can have been applied.
func (a ask) do(ctx context.Context) error {
	a.Stats.countCall(a.call)
	began := a.Clock.Now()
	err := a.Ways.CallMember(ctx, a.to, &a.call.Req, &a.call.Resp)
	a.Stats.took(began, a.Clock.Now())
	return a.done(ctx, err)
}

// done turns what the call came to into an error.
func (a ask) done(ctx context.Context, err error) error {
	req, resp := &a.call.Req, &a.call.Resp
	if err == nil {
		if resp.Status < httppool.StatusReserved {
			a.heard(a.to.Name, resp.Status != wire.StatusUnknownGroup)
		}
		if resp.Status == wire.StatusOK {
			return nil
		}
		err = a.Errors.Of(a.to.Name, a.to.Addr, req.Op, req.Key, resp)
	} else {
		err = wire.TransportError(ctx, req.Op, a.to.Name, a.to.Addr, err)
	}
	if _, ok := errors.AsType[*errs.PeerError](err); ok {
		a.Stats.PeerErrors.Add(1)
	}
	return err
}

// heard notes whether a member knows the group.
func (a ask) heard(member string, knows bool) {
	if members := a.UnknownTo.heard(member, knows, a.Clock); members != nil {
		a.Log.Warn("a group is not registered on other members, which costs a load for every Get of their keys: its name there, or a deployment that is not finished?",
			"group", a.Name, "peers", members)
	}
}

// answer returns the error that an answer about one of several keys stands for.
func (a ask) answer(op uint8, key string, got wire.Answer) error {
	resp := httppool.Response{Status: got.Status, Flags: got.Flags, Message: string(got.Body)}
	return a.Errors.Of(a.to.Name, a.to.Addr, op, key, &resp)
}
