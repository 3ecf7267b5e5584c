package reach

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

const (
	maxRelays   = 3           // members that are asked to pass one call on
	relayedFor  = time.Second // how long a peer that only a relay reached is not called directly
	aliveShare  = 4           // of Patience: how long a member may take to show that it lives
	detourShare = 2           // of Patience: how long relays are sought, and how long none is after none was found
)

// CallMember calls another member, and through up to three others if it cannot be
// reached: then the request was certainly not carried out, or it is idempotent. The
// answer is the member's own, whoever passed it on, but grants no copy. Errors are those
// of a caller about that member. req and resp are as for a caller.
func (w *Ways) CallMember(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response) error {
	if o.Route != nil && o.Route.Relayed.Load() > 0 {
		return w.callByDetour(ctx, o, req, resp)
	}
	return w.Reroute(ctx, o, req, resp, o.Peer.Call(ctx, req, resp))
}

// callByDetour calls a member that only others reached a moment ago.
func (w *Ways) callByDetour(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response) error {
	tried, lost := w.Clock.Now() < o.Route.Relayed.Load() && mayDetour(o, req), false
	if tried {
		var done bool
		var err error
		if done, lost, err = w.askOthers(ctx, o, req, resp); done {
			return err
		}
	}
	o.Route.Relayed.Store(0)
	err := o.Peer.Call(ctx, req, resp)
	if tried {
		return asSent(err, lost)
	}
	return w.Reroute(ctx, o, req, resp, err)
}

// Reroute has others pass on a call that failed with err, if that can help. It returns
// what the call came to: WasSent of an error says whether the request may have been carried out,
// whoever passed it on.
func (w *Ways) Reroute(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response, err error) error {
	switch {
	case err == nil || errs.Ended(ctx) != nil || !mayDetour(o, req):
		return err
	case errors.Is(err, httppool.ErrClosed), errors.Is(err, httppool.ErrOverloaded), errors.Is(err, httppool.ErrTooLarge):
		return err
	case !req.Idempotent && WasSent(err):
		return err
	}
	done, lost, detoured := w.askOthers(ctx, o, req, resp)
	if done {
		return detoured
	}
	return asSent(err, lost)
}

// mayDetour reports whether a request may go through others: not one that a stand-in
// is asked, which there are several of, nor one that only wants a copy.
func mayDetour(o *view.Owner, req *httppool.Request) bool {
	return o.Route != nil && (req.Op != wire.OpGet || req.Flags&(wire.FlagStandIn|wire.FlagAgain) == 0)
}

// asSent returns err as that of a request that may have been carried out, if somebody who passed it on lost the answer.
func asSent(err error, lost bool) error {
	if ce, ok := errors.AsType[*httppool.CallError](err); ok && lost {
		return &httppool.CallError{Addr: ce.Addr, Sent: true, Err: ce.Err}
	}
	return err
}

// WasSent reports whether a request that got no answer may have been carried out.
func WasSent(err error) bool {
	ce, ok := errors.AsType[*httppool.CallError](err)
	return !ok || ce.Sent
}

// askOthers has others pass a call on, one after the other. It is not done if none
// could, and lost says that one may have, and had no answer. If the request is not idempotent, it
// is done then, with an error that says so.
func (w *Ways) askOthers(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response) (done, lost bool, err error) {
	v, began := w.State.View(), w.Clock.Now()
	if v == nil || v.Peers[o.ID] == nil || began < o.Route.Lost.Load() {
		return false, false, nil
	}
	outer := httppool.Request{Op: wire.OpRelay, View: v.ID, Key: o.ID, Value: wire.PackRequest(req), Idempotent: req.Idempotent}
	patience := w.Patience
	asked := 0
	for r := range relaysTo(v, o, began) {
		if asked == maxRelays || w.Clock.Now()-began > int64(patience/detourShare) || errs.Ended(ctx) != nil {
			break
		}
		if !w.Lives(ctx, r) {
			continue
		}
		asked++
		err := r.Peer.Call(ctx, &outer, resp)
		if err == nil && (isAnswer(resp.Status) || resp.Flags&wire.FlagMaybe != 0) {
			resp.Lease = 0
			w.Relayed.Add(1)
			o.Route.Relayed.Store(w.Clock.Now() + int64(relayedFor))
			return true, lost, nil
		}
		passed := WasSent(err)
		if err == nil {
			passed = resp.Status == wire.StatusRelayLost
			err = &httppool.CallError{Addr: o.Addr, Sent: passed, Err: errors.New(resp.Message)}
			*resp = httppool.Response{}
		}
		if lost = lost || passed; lost && !req.Idempotent {
			return true, true, err
		}
	}
	o.Route.Lost.Store(w.Clock.Now() + int64(patience/detourShare))
	return false, lost, nil
}

// isAnswer reports whether a status is the answer of the member that was called, and
// not a relay's own word. A member that is leaving, or has too much to do, relays nothing;
// one that runs another version does not know how.
func isAnswer(status uint8) bool {
	switch status {
	case wire.StatusNoRelay, wire.StatusRelayLost, wire.StatusClosed, wire.StatusInvalid, httppool.StatusOverloaded:
		return false
	}
	return true
}

// relaysTo iterates over the members that may pass a call on to o: those that follow
// it, so that different members are asked for different owners, without those that can
// only be reached through others themselves.
func relaysTo(v *view.View, o *view.Owner, now int64) func(yield func(*view.Owner) bool) {
	return func(yield func(*view.Owner) bool) {
		start := 0
		for i := range v.Owners {
			if v.Owners[i].ID == o.ID {
				start = i + 1
			}
		}
		for i := range v.Owners {
			r := &v.Owners[(start+i)%len(v.Owners)]
			if r.Peer == nil || r.ID == o.ID || r.Route.Relayed.Load() > now {
				continue
			}
			if !yield(r) {
				return
			}
		}
	}
}

// Lives reports whether a member shows that it lives, in a part of Patience.
func (w *Ways) Lives(ctx context.Context, o *view.Owner) bool {
	if w.Clock.Now() < o.Route.Alive.Load() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, w.Patience/aliveShare)
	defer cancel()
	if w.Peers.Ping(ctx, o.Addr) != nil {
		return false
	}
	o.Route.Alive.Store(w.Clock.Now() + int64(w.Patience))
	return true
}
