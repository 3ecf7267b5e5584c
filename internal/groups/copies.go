package groups

import (
	"context"
	"encoding/binary"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/copies"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// carrier is a group as its copies see the other members.
type carrier struct{ *Core }

func (c carrier) Ask(ctx context.Context, to *view.Owner, op uint8, view uint64, body []byte) (answer []byte, status uint8, once bool, err error) {
	c.Stats.Of(0).PeerCalls.Add(1)
	a := c.call(to, op, view, body)
	if c.isRelayed(to) {
		defer a.call.Free()
		err = c.Ways.CallMember(ctx, to, &a.call.Req, &a.call.Resp)
		return a.call.Resp.Value, a.call.Resp.Status, err != nil && !reach.WasSent(err), err
	}
	return a.done(ctx, to.Peer.Call(ctx, &a.call.Req, &a.call.Resp))
}

func (c carrier) Begin(ctx context.Context, to *view.Owner, op uint8, view uint64, body []byte) (copies.Asked, bool) {
	peer, ok := to.Peer.(wire.Starter)
	if !ok || c.isRelayed(to) {
		return nil, false
	}
	a := c.call(to, op, view, body)
	a.ctx = ctx
	if a.pending, ok = peer.Start(ctx, &a.call.Req); !ok {
		a.call.Free()
		return nil, false
	}
	c.Stats.Of(0).PeerCalls.Add(1)
	return a, true
}

func (c carrier) isRelayed(to *view.Owner) bool {
	return to.Route != nil && to.Route.Relayed.Load() > 0
}

func (c carrier) call(to *view.Owner, op uint8, view uint64, body []byte) *asked {
	k := wire.NewCall(op, c.Name, c.Ways.ID)
	k.Req.View, k.Req.Value, k.Req.Idempotent = view, body, true
	return &asked{carrier: c, to: to, call: k}
}

// asked is a call about copies that has begun.
type asked struct {
	carrier
	to      *view.Owner
	ctx     context.Context // of Begin
	call    *wire.Call
	pending httppool.Pending

	over   bool          // pending has come to err
	err    error         // after that, or what others made of it
	passed chan struct{} // closed when others have passed the call on, or could not; nil: they were not asked
}

// Ready has others pass on a call that failed on a goroutine of its own: that may take longer than who waits has.
func (a *asked) Ready(ctx context.Context) bool {
	if !a.over {
		if !a.pending.Ready(ctx, a.ctx) {
			return false
		}
		a.over, a.err = true, a.pending.Wait(a.ctx, &a.call.Resp)
		if a.err != nil {
			passed := make(chan struct{})
			if a.Life.Go(func() { defer close(passed); a.err = a.reroute(a.ctx, a.err) }) {
				a.passed = passed
			}
		}
	}
	if a.passed == nil {
		return true
	}
	select {
	case <-a.passed:
		return true
	case <-ctx.Done():
		return false
	}
}

func (a *asked) Wait() (answer []byte, status uint8, once bool, err error) {
	switch {
	case !a.over:
		return a.done(a.ctx, a.pending.Wait(a.ctx, &a.call.Resp))
	case a.passed == nil:
		return a.done(a.ctx, a.err)
	}
	<-a.passed
	defer a.call.Free()
	return a.answer(a.err)
}

// done returns what a call came to that ended with err, or what others make of it.
func (a *asked) done(ctx context.Context, err error) (answer []byte, status uint8, once bool, _ error) {
	k := a.call
	defer k.Free()
	if err == nil {
		return k.Resp.Value, k.Resp.Status, true, nil
	}
	return a.answer(a.reroute(ctx, err))
}

func (a *asked) reroute(ctx context.Context, err error) error {
	return a.Ways.Reroute(ctx, a.to, &a.call.Req, &a.call.Resp, err)
}

// answer returns what others made of a call: of an answer that they passed on nobody knows whether it is all that happened.
func (a *asked) answer(err error) (answer []byte, status uint8, once bool, _ error) {
	return a.call.Resp.Value, a.call.Resp.Status, err != nil && !reach.WasSent(err), err
}

// serveCopies answers what is asked about copies of a group. c is nil if none is registered.
func (r *Registry) serveCopies(ctx context.Context, c *Core, req *httppool.Request, resp *httppool.Response) {
	if c == nil || c.Copies() == nil {
		v := r.state.View()
		if c != nil {
			c.ComplainOfCopies()
		}
		switch {
		case req.Op != wire.OpDigest:
			resp.Status = wire.StatusUnknownGroup
		case v == nil || v.ID != req.View:
			resp.Status = wire.StatusNotOwner
		default:
			page := wire.DigestPage{Epoch: copies.Apart + v.Epoch}
			resp.Status, resp.Value = wire.StatusOK, page.Pack()
		}
		return
	}
	switch req.Op {
	case wire.OpDigest:
		c.Copies().ServeDigest(ctx, req, resp)
	case wire.OpCopies:
		c.Copies().Serve(req, resp)
	default:
		c.serveClearing(ctx, req, resp)
	}
}

// tellOthers tells the other members that this one keeps copies of a group since a moment ago, or
// does not any more, until they have heard it or are members no more: who joins later asks.
func (c *Core) tellOthers() {
	v := c.State.View()
	if c.Copies() == nil || v == nil {
		return
	}
	for id := range v.Peers {
		if id == c.Ways.ID {
			continue
		}
		c.Life.Go(func() {
			for wait := route.RetryFloor; !c.tellOther(id); wait = min(2*wait, tellCeiling) {
				if c.Life.Pause(context.Background(), wait) != nil {
					return
				}
			}
		})
	}
}

// tellOther tells another member that this one has begun anew with a group. It reports false if that must be told again: no
// answer came, or that of a member that has too much to do.
func (c *Core) tellOther(id string) bool {
	v := c.State.View() // this member alone may have another one since, of the same members
	if v == nil || v.Peers[id] == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(c.Life.Context(), time.Second)
	defer cancel()
	_, status, _, err := carrier{c}.Ask(ctx, v.Peers[id], wire.OpCopies, v.ID, binary.AppendUvarint(nil, 0))
	switch status {
	case httppool.StatusOverloaded, httppool.StatusCancelled, wire.StatusClosed: // that starts, or leaves
		return false
	}
	return err == nil
}

// tellCeiling is how long it waits between two tries to tell a member.
const tellCeiling = time.Second

// serveClearing takes part in a round of a Clear.
func (c *Core) serveClearing(ctx context.Context, req *httppool.Request, resp *httppool.Response) {
	var v store.Version
	ok := len(req.Value) > 0
	if ok {
		v, _, ok = wire.CutVersion(req.Value[1:])
	}
	if !ok {
		resp.Status, resp.Message = wire.StatusInvalid, "malformed round of a Clear"
		return
	}
	said, err := c.ClearCopies(ctx, req.View, strings.Clone(req.Key), owner.ClearRound(req.Value[0]), v)
	c.Errors.Put(resp, err)
	resp.Value = wire.AppendVersion(nil, said)
}

// How long a member that leaves waits for others to take what it holds, while none of them asks for anything:
// the longer the more there is, for they go through all of that before they ask.
const (
	copiesStall    = 5 * time.Second
	copiesStallPer = 5 * time.Microsecond // for each value
)

// drainCopies waits, as the node leaves, until nothing is held here that others need: they
// have copies enough then, and have said so.
func (r *Registry) drainCopies(ctx context.Context) error {
	for _, c := range r.All() {
		if c.Copies() == nil {
			continue
		}
		at, held, asked := r.clock.Now(), -1, uint64(0)
		for {
			began := r.clock.Now()
			v, n := r.state.View(), c.Copies().Count()
			if n == 0 || v == nil || v.Self >= 0 || v.Ring.Len() == 0 && !r.state.Tracing() {
				break
			}
			now := r.clock.Now()
			if said := c.Copies().Asked(); n != held || said != asked {
				at, held, asked = now, n, said
			} else if now-at >= int64(copiesStall)+int64(n)*int64(copiesStallPer) {
				r.Mover.Lose(c.Name, n)
				break
			}
			looked := time.Duration(now - began) // at all that is held: others need the processor more
			if err := r.setting.Life.Pause(ctx, max(route.RetryFloor, 10*looked)); err != nil {
				return err
			}
		}
	}
	return nil
}

// adoptCopies makes the node's view the one by which a group that was just registered holds
// copies. No view is adopted meanwhile.
func (r *Registry) adoptCopies(c *Core) {
	v := r.state.View()
	if cp := c.Copies(); cp != nil && v != nil {
		cp.Adopt(v)
		if v.Settled() {
			cp.Own(v)
		}
	}
}

// eachCopies calls f for the groups that keep copies.
func (r *Registry) eachCopies(f func(c *Core)) {
	for _, c := range r.All() {
		if c.Copies() != nil {
			f(c)
		}
	}
}
