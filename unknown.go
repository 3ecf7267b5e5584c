package cachemesh

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// park answers a peer that hands over values of a group that is not registered. It
// says Overloaded if there is no room, and the peer tries again for a while; if there is
// none in the end, that one says so.
func (n *Node) park(view uint64, group string, body []byte, resp *httppool.Response) {
	now := n.clock.Now()
	n.tookOver.Store(now)
	list, ok := listOf(body, now)
	switch {
	case !ok:
		resp.Status, resp.Message = wire.StatusInvalid, errMalformedList.Error()
		return
	case len(body) == 0: // they expired on their way
		resp.Status = wire.StatusOK
		return
	}
	n.clock.SeeVersion(list.newest) // before a Delete of these is given one
	n.mu.Lock()
	resp.Status = wire.StatusOK
	if v := n.state.View(); v == nil || v.ID != view { // whoever looks for what is another's has looked
		resp.Status = wire.StatusNotOwner
	} else if n.group(group) != nil { // since a moment ago
		resp.Status = wire.StatusUnsettled
	} else if !n.parked.addLocked(group, list) {
		n.parked.dropLocked(now, true)
		if !n.parked.addLocked(group, list) {
			resp.Status = wire.StatusOverloaded
		}
	}
	say := n.parked.sayLocked(now)
	n.mu.Unlock()
	say(n)
}

// sweepParked drops what has expired.
func (n *Node) sweepParked(now int64) {
	n.mu.Lock()
	n.parked.dropLocked(now, false)
	say := n.parked.sayLocked(now)
	n.mu.Unlock()
	say(n)
}

// unpark drops keys of a group that is not registered, all if keys is nil. If there
// is no room to note them, all are dropped too: a deleted key must not come back. It
// returns errs.ErrNotOwner or ErrUnsettled, and drops nothing, where a write would not be this
// member's: what was parked here may be on its way to another, or to the group that is
// about to be registered.
func (n *Node) unpark(group string, keys []string) error {
	n.mu.Lock()
	err := n.mayUnparkLocked(group, keys)
	if err == nil {
		n.parked.unparkLocked(group, keys, deletion{n.clock.NextVersion(), n.state.Primary()}, n.clock.Now())
	}
	say := n.parked.sayLocked(n.clock.Now())
	n.mu.Unlock()
	say(n)
	return err
}

// isHeir reports whether a group of the name is about to be registered with what is parked.
func (n *Node) isHeir(group string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.parked.heirs[group] != nil
}

func (n *Node) mayUnparkLocked(group string, keys []string) error {
	if n.parked.heirs[group] != nil || n.group(group) != nil { // since a moment ago
		return errs.ErrUnsettled
	}
	seed := ring.Seed(group)
	for _, key := range keys {
		if err := n.state.MayServe(ring.Hash(seed, key), n.clock.Now()); err != nil {
			return err
		}
	}
	return nil
}

// startGrace is how long after its Start a member that does not know a group is taken to
// be about to register it.
const startGrace = 2 * time.Second

// startingUp reports whether groups may be registered here in a moment.
func (n *Node) startingUp() bool {
	started := n.started.Load()
	return started == 0 || n.clock.Now()-started < int64(startGrace)
}

// serveUnknown answers a request about a group that is not registered here. While it may
// be yet, callers without a loader try again, and those with one load for themselves.
func (n *Node) serveUnknown(req *httppool.Request, resp *httppool.Response) {
	resp.Status = wire.StatusUnknownGroup
	var err error
	switch req.Op {
	case wire.OpGet, wire.OpGetMany, wire.OpSet:
		if n.startingUp() || n.isHeir(req.Group) {
			resp.Status = wire.StatusUnsettled
		}
	case wire.OpHandOver:
		if v := n.state.View(); v == nil || v.ID != req.View {
			resp.Status = wire.StatusNotOwner
		} else {
			n.park(req.View, req.Group, req.Value, resp)
		}
	case wire.OpDelete:
		err = n.unpark(req.Group, []string{req.Key})
	case wire.OpDeleteMany:
		keys, _ := wire.ParseKeys(req.Value) // nil if malformed: drop all
		err = n.unpark(req.Group, keys)
	case wire.OpClear:
		if err = errs.ErrUnsettled; n.state.ActsBy(req.View) {
			err = n.unpark(req.Group, nil)
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

// fetchParked stores what was parked for a group that is about to be registered.
func (c *groupCore) fetchParked(g *parkedGroup) {
	n := c.node
	lost := 0
	for _, l := range g.lists {
		if c.Origin.Load != nil { // it loads them: for who had them and no loader they are lost
			lost += l.left(n.clock.Now(), g.deleted)
			continue
		}
		refused, err := c.merge(context.Background(), l.body, time.Duration(n.clock.Now()-l.arrived), g.deleted)
		if err != nil { // the node was closed
			refused = l.left(n.clock.Now(), g.deleted)
		}
		lost += refused
	}
	n.mu.Lock()
	n.parked.loseLocked(c.Name, lost)
	say := n.parked.sayLocked(n.clock.Now())
	n.mu.Unlock()
	say(n)
}
