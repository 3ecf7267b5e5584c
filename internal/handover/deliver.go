package handover

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// deliver sends one list, and forgets it here if the owner took it.
func (p *pass) deliver(o *view.Owner, list []parcel) bool {
	c := list[0].part
	taken := p.insist(o, c.Name, func() ([]byte, int) { return packParcels(list, p.Clock.Now()) })
	for _, it := range list {
		if !taken || !c.LetGo(p.v, it.hash, it.e) {
			break
		}
	}
	return taken
}

// insist sends what pack returns, and tries again for a moment: the owner may not have
// heard of the view. It reports whether the values are in other hands now, or will never
// be.
func (p *pass) insist(o *view.Owner, group string, pack func() (body []byte, values int)) bool {
	began, wait := p.Clock.Now(), retryFloor
	for !p.ended() {
		body, values := pack()
		if refused, done := p.call(o, group, body, values); done {
			p.progress.Store(p.Clock.Now())
			p.handedOver.Add(uint64(values - refused))
			p.note(refusal{group, o.Name}, refused)
			return true
		}
		if p.Clock.Now()-began >= int64(handOverStall) || p.Life.Pause(p.ctx, wait) != nil {
			return false
		}
		wait = min(2*wait, retryCeiling)
	}
	return false
}

// call sends values to an owner. It reports how many of them it will never have, and
// whether the rest was taken.
func (p *pass) call(o *view.Owner, group string, body []byte, values int) (refused int, done bool) {
	if len(body) == 0 {
		return 0, true // they expired
	}
	ctx, cancel := context.WithTimeout(p.ctx, handOverTime+time.Duration(len(body))*time.Second/handOverRate)
	defer cancel()
	reply, err := p.Way.Deliver(ctx, p.v, o, group, body)
	if err != nil {
		return values, errors.Is(err, httppool.ErrTooLarge)
	}
	switch reply.Status {
	case wire.StatusOK:
		return int(min(reply.Refused, uint64(values))), true
	case wire.StatusUnknownGroup, wire.StatusInvalid, wire.StatusTooLarge: // it runs another version
		return values, true
	case wire.StatusOverloaded:
		p.noGroup.Store(true)
	}
	return 0, false
}

// patience is how long values wait that nobody takes. An owner that has just started may
// register the group only when its Start has returned.
func (p *pass) patience() time.Duration {
	if p.noGroup.Load() {
		return parkedFor
	}
	return handOverTime
}

// note counts values that an owner will not have.
func (p *pass) note(r refusal, values int) {
	if values == 0 {
		return
	}
	p.lost.Add(uint64(values))
	p.mu.Lock()
	p.refused[r] += uint64(values)
	p.mu.Unlock()
}

// sayRefused says, once a pass, whose values are lost by refusal.
func (p *pass) sayRefused() {
	for r, values := range p.refused {
		p.Log.Warn("values that no loader could bring back are lost: their new owner has a loader for the group, or they are larger than it holds",
			"values", values, "group", r.group, "peer", r.member)
	}
}
