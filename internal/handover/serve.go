package handover

import (
	"context"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Serve takes values of a group from their former owner, if both act by one view. It
// answers how many it will not have.
func (m *Mover) Serve(ctx context.Context, c *owner.Part, req *httppool.Request, resp *httppool.Response) {
	if v := c.State.View(); v == nil || v.ID != req.View {
		resp.Status = wire.StatusNotOwner
		return
	}
	m.arrived.Store(c.Clock.Now())
	if c.Origin.Load != nil { // it loads them: for who has them and no loader they are lost
		list, ok := listOf(req.Value, c.Clock.Now())
		if resp.Version = uint64(list.values); !ok {
			c.Errors.Put(resp, errMalformedList)
		}
		return
	}
	refused, err := merge(ctx, c, req.Value, 0, nil)
	resp.Version = uint64(refused)
	c.Errors.Put(resp, err)
}

// Park answers a peer that hands over values of a group that is not registered, by the
// view of the given id. It says Overloaded if there is no room, and the peer tries again
// for a while; if there is none in the end, that one says so.
func (m *Mover) Park(view uint64, group string, body []byte, resp *httppool.Response) {
	now := m.Clock.Now()
	m.arrived.Store(now)
	list, ok := listOf(body, now)
	switch {
	case !ok:
		resp.Status, resp.Message = wire.StatusInvalid, errMalformedList.Error()
		return
	case len(body) == 0: // they expired on their way
		resp.Status = wire.StatusOK
		return
	}
	m.Clock.SeeVersion(list.newest) // before a Delete of these is given one
	resp.Status = m.Parking.park(view, group, list)
}
