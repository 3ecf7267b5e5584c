package handover

import (
	"time"

	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Values that are parked move on with their keys like those in stores: before this node
// acknowledges a view, those that are another's by it are sent there.

// lookParked sends on what is parked here and another's by now, one list after the other:
// there are 64 MiB of them at most.
func (p *pass) lookParked() {
	late := make(map[int]bool)
	for _, at := range p.Parking.now() {
		if p.ended() {
			return
		}
		p.sendOn(at, late)
	}
}

// sendOn sends the values of a list to their owners, and keeps the rest. Owners that are
// late are not asked again.
func (p *pass) sendOn(at parkedAt, late map[int]bool) {
	seed := ring.Seed(at.group)
	theirs := make(map[int][]wire.Packed)
	var stay []byte // as it is in the list
	moved := false
	for body := at.list.body; len(body) > 0; {
		one, rest, _ := wire.CutParcel(body)
		raw := body[:len(body)-len(rest)]
		body = rest
		switch i := p.v.Ring.Owner(ring.Hash(seed, string(one.Key))); {
		case i >= 0 && i == p.v.Self:
			stay = append(stay, raw...)
		case i < 0 && p.State.Tracing(), i >= 0 && late[i]:
			p.left.Add(1)
			stay = append(stay, raw...)
		case i < 0 || at.deleted.have(&one):
			moved = true
		default:
			theirs[i] = append(theirs[i], one)
		}
	}
	for i, values := range theirs {
		if p.insist(&p.v.Owners[i], at.group, func() ([]byte, int) { return p.repack(values, at.list.arrived) }) {
			moved = true
			continue
		}
		late[i] = true
		p.left.Add(int64(len(values)))
		for _, one := range values {
			stay = wire.AppendParcel(stay, one.Key, &one)
		}
	}
	if moved {
		p.Parking.replace(p.v, at, stay)
	}
}

// repack makes a list of values that have been parked since arrived.
func (p *pass) repack(parked []wire.Packed, arrived int64) (body []byte, values int) {
	age := time.Duration(p.Clock.Now() - arrived)
	for _, one := range parked {
		if one.Left != 0 {
			if one.Left -= age; one.Left <= 0 {
				continue
			}
		}
		if !one.Trace {
			values++
		}
		body = wire.AppendParcel(body, one.Key, &one)
	}
	return body, values
}
