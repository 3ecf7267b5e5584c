package cachemesh

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// One link that fails, while the members agree on who they are, must not make a
// second server of a key: the owner is alive, and takes writes that nobody else hears
// of. So whoever cannot reach it asks another member to pass the call on: see relay.go.

const (
	maxRelays   = 3           // members that are asked to pass one call on
	relayedFor  = time.Second // how long a peer that only a relay reached is not called directly
	aliveShare  = 4           // of Patience: how long a member may take to show that it lives
	detourShare = 2           // of Patience: how long relays are sought, and how long none is after none was found
)

// callMember calls another member, and through up to three others if it cannot be
// reached: then the request was certainly not carried out, or it is idempotent. The
// answer is the member's own, whoever passed it on, but grants no lease. Errors are those
// of a caller about that member. req and resp are as for a caller.
func (n *Node) callMember(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response) error {
	if o.Route != nil && o.Route.Relayed.Load() > 0 {
		return n.callByDetour(ctx, o, req, resp)
	}
	return n.reroute(ctx, o, req, resp, o.Peer.Call(ctx, req, resp))
}

// callByDetour calls a member that only others reached a moment ago.
func (n *Node) callByDetour(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response) error {
	tried := n.clock.Now() < o.Route.Relayed.Load() && mayDetour(o, req)
	if tried {
		if done, err := n.askOthers(ctx, o, req, resp); done {
			return err
		}
	}
	o.Route.Relayed.Store(0)
	err := o.Peer.Call(ctx, req, resp)
	if tried {
		return err
	}
	return n.reroute(ctx, o, req, resp, err)
}

// reroute has others pass on a call that failed with err, if that can help. It returns
// what the call came to.
func (n *Node) reroute(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response, err error) error {
	switch {
	case err == nil || errs.Ended(ctx) != nil || !mayDetour(o, req):
		return err
	case errors.Is(err, httppool.ErrClosed), errors.Is(err, httppool.ErrOverloaded), errors.Is(err, httppool.ErrTooLarge):
		return err
	case !req.Idempotent && wasSent(err):
		return err
	}
	if done, detoured := n.askOthers(ctx, o, req, resp); done {
		return detoured
	}
	return err
}

// mayDetour reports whether a request may go through others: not one that a stand-in
// is asked, which there are several of, nor one that only wants a lease.
func mayDetour(o *view.Owner, req *httppool.Request) bool {
	return o.Route != nil && (req.Op != wire.OpGet || req.Flags&(wire.FlagStandIn|wire.FlagRenewal) == 0)
}

// wasSent reports whether a request that got no answer may have been carried out.
func wasSent(err error) bool {
	ce, ok := errors.AsType[*httppool.CallError](err)
	return !ok || ce.Sent
}

// askOthers has others pass a call on, one after the other. It is not done if none
// could. If one lost the answer to a request that is not idempotent, it is done, with an
// error that says so.
func (n *Node) askOthers(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response) (done bool, err error) {
	v, began := n.state.View(), n.clock.Now()
	if v == nil || v.Peers[o.ID] == nil || began < o.Route.Lost.Load() {
		return false, nil
	}
	outer := httppool.Request{Op: wire.OpRelay, View: v.ID, Key: o.ID, Value: wire.PackRequest(req), Idempotent: req.Idempotent}
	patience := n.opts.Patience
	asked := 0
	for r := range relaysTo(v, o, began) {
		if asked == maxRelays || n.clock.Now()-began > int64(patience/detourShare) || errs.Ended(ctx) != nil {
			break
		}
		if !n.lives(ctx, r) {
			continue
		}
		asked++
		err := r.Peer.Call(ctx, &outer, resp)
		if err == nil && isAnswer(resp.Status) {
			resp.Lease = 0
			n.relayed.Add(1)
			o.Route.Relayed.Store(n.clock.Now() + int64(relayedFor))
			return true, nil
		}
		lost := wasSent(err)
		if err == nil {
			lost = resp.Status == wire.StatusRelayLost
			err = &httppool.CallError{Addr: o.Addr, Sent: lost, Err: errors.New(resp.Message)}
			*resp = httppool.Response{}
		}
		if lost && !req.Idempotent {
			return true, err
		}
	}
	o.Route.Lost.Store(n.clock.Now() + int64(patience/detourShare))
	return false, nil
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

// lives reports whether a member shows that it lives, in a part of Patience.
func (n *Node) lives(ctx context.Context, o *view.Owner) bool {
	if n.clock.Now() < o.Route.Alive.Load() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, n.opts.Patience/aliveShare)
	defer cancel()
	if n.peers.ping(ctx, o.Addr) != nil {
		return false
	}
	o.Route.Alive.Store(n.clock.Now() + int64(n.opts.Patience))
	return true
}
