//go:build !race

package settle

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
	"github.com/praveenduddu/cachemesh/membership"
)

// ways are the ways to the others.
type ways struct{ *rig }

func (r ways) Peer(addr string) wire.Peer { return peer{r.rig, addr} }

type peer struct {
	r    *rig
	addr string
}

func (p peer) Call(ctx context.Context, req *httppool.Request, resp *httppool.Response) error {
	return p.r.call(ctx, p.addr, req, resp)
}

func (r ways) CallMember(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response) error {
	if !req.Idempotent {
		r.t.Error("a question that may not be repeated")
	}
	return r.call(ctx, o.Addr, req, resp)
}

func (r *rig) call(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response) error {
	name := strings.TrimSuffix(addr, ":1")
	o := r.other(name)
	r.mu.Lock()
	block := o.block
	if at, ok := ctx.Deadline(); ok {
		r.limits = append(r.limits, time.Until(at))
	}
	r.asked = append(r.asked, asking{name, time.Since(r.began)})
	r.mu.Unlock()
	if block != nil {
		<-block
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.down {
		return errors.New("out of reach")
	}
	w, err := quorum.Parse(req.Value)
	if err != nil || w.View != req.View || req.Op != wire.OpFence || req.Key != id("a") {
		r.t.Errorf("the question %+v: %v", req, err)
	}
	a := o.core.Asked(w, r.clock.Now())
	o.core.Judge(r.clock.Now())
	if o.lie != nil {
		o.lie(&a)
	}
	if resp.Status = o.status; resp.Status == 0 {
		resp.Status = wire.StatusOK
	}
	resp.View, resp.Value = a.View, a.Append(nil)
	return nil
}

// questions returns when members were asked, since the last time.
func (r *rig) questions(to string) (at []time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rest []asking
	for _, q := range r.asked {
		if q.to == to {
			at = append(at, q.at)
		} else {
			rest = append(rest, q)
		}
	}
	r.asked = rest
	return at
}

func (r ways) Renew(addr, id string) { r.renewed = append(r.renewed, addr+" "+id) }

func (r ways) Forget(gone []string, members []quorum.Member) {
	for _, m := range members {
		r.kept = append(r.kept, m.Name)
	}
	r.forgot = append(r.forgot, gone...)
}

func (r *rig) DropLost(v *view.View, others bool) {
	var names []string
	for _, m := range v.Members {
		names = append(names, m.Name)
	}
	r.lost = append(r.lost, drop{strings.Join(names, " "), others})
}

func (r *rig) Own(v *view.View) { r.owned = append(r.owned, v) }

func (r *rig) Empty(v *view.View) { r.emptied = append(r.emptied, v) }

func (r *rig) DropBefore(era uint32) {
	r.mu.Lock()
	r.eras = append(r.eras, era)
	f := r.dropped
	r.mu.Unlock()
	if f != nil {
		f()
	}
}

func (r *rig) Moving() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.moving }

func (r *rig) ValuesMove() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.move }

func (r *rig) PayOwed() { r.mu.Lock(); defer r.mu.Unlock(); r.owed++ }

func (r *rig) dials(_ context.Context, addr string) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dialled++
	if !r.evidence.seeking.Load() {
		r.unheld++
	}
	if err, ok := r.dial[addr]; ok {
		return nil, err
	}
	a, b := net.Pipe()
	r.far = b
	return a, nil
}

var refused = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}

func (r *rig) Told(context.Context) []membership.Seed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seeds
}

func (r *rig) Revive() { r.mu.Lock(); defer r.mu.Unlock(); r.revived++ }

// is fails the test unless the node answers by that right.
func (r *rig) is(what string, settled bool, p view.Phase) {
	r.t.Helper()
	v := r.state.View()
	if got := v.Settled(); got != settled || r.state.Phase() != p {
		r.t.Errorf("%s: settled %v, phase %v; want %v, %v", what, got, r.state.Phase(), settled, p)
	}
}

// left returns how long the node may serve yet.
func (r *rig) left() time.Duration { return time.Duration(r.state.Confirmed() - r.clock.Now()) }
