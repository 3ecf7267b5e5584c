package serve

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Renewals renew the sessions of peers that hold copies of what this member owns.
type Renewals struct {
	Life     *life.Life
	Clock    *clock.Clock
	State    *view.State
	Ways     *reach.Ways
	Sessions *session.Granted
}

// Serve answers a peer that asks for a renewal. It waits for nothing.
func (r *Renewals) Serve(from string, resp *httppool.Response) {
	resp.Status = wire.StatusOK
	resp.View, resp.Lease = r.Renew(from)
}

// Renew extends the session of a peer: see session.Granted.Renew. One that is in no view here
// has none.
func (r *Renewals) Renew(from string) (number uint64, term time.Duration) {
	v, era := r.State.View(), r.State.Era()
	if v == nil {
		return 0, 0
	}
	o := v.Peers[from]
	if o == nil {
		return 0, 0
	}
	number, left := r.Sessions.Renew(session.Peer{ID: from, Life: o.Life}, era, r.Clock.Now(), r.State.Confirmed())
	if number == 0 && r.Sessions.Probe(from) {
		if !r.Life.Go(func() { r.probe(o) }) {
			r.Sessions.Probed(from, false)
		}
	}
	return number, time.Duration(left)
}

// probe looks whether a peer can be called whose session was broken.
func (r *Renewals) probe(o *view.Owner) {
	ctx, cancel := context.WithTimeout(r.Life.Context(), r.Ways.Patience)
	defer cancel()
	r.Sessions.Probed(o.ID, r.Ways.Peers.Ping(ctx, o.Addr) == nil)
}
