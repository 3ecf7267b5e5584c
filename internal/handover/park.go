package handover

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// park keeps a list, and returns what the peer is told.
func (p *Parking) park(view uint64, group string, l parkedList) (status uint8) {
	now := l.arrived
	p.mu.Lock()
	status = wire.StatusOK
	if v := p.state.View(); v == nil || v.ID != view { // whoever looks for what is another's has looked
		status = wire.StatusNotOwner
	} else if p.registered.IsOpen(group) { // since a moment ago
		status = wire.StatusUnsettled
	} else if !p.addLocked(group, l) {
		p.dropLocked(now, true)
		if !p.addLocked(group, l) {
			status = wire.StatusOverloaded
		}
	}
	say := p.sayLocked(now)
	p.mu.Unlock()
	say()
	return status
}

// Sweep drops what has expired.
func (p *Parking) Sweep(now int64) {
	p.mu.Lock()
	p.dropLocked(now, false)
	say := p.sayLocked(now)
	p.mu.Unlock()
	say()
}

// Unpark drops keys of a group that is not registered, all if keys is nil. If there
// is no room to note them, all are dropped too: a deleted key must not come back. It
// returns errs.ErrNotOwner or ErrUnsettled, and drops nothing, where a write would not be this
// member's: what was parked here may be on its way to another, or to the group that is
// about to be registered.
func (p *Parking) Unpark(group string, keys []string) error {
	p.mu.Lock()
	err := p.mayUnparkLocked(group, keys)
	if err == nil {
		p.unparkLocked(group, keys, deletion{Clock: p.clock.NextVersion(), Primary: p.state.Primary(), Run: p.run}, p.clock.Now())
	}
	say := p.sayLocked(p.clock.Now())
	p.mu.Unlock()
	say()
	return err
}

func (p *Parking) mayUnparkLocked(group string, keys []string) error {
	if p.heirs[group] != nil || p.registered.IsOpen(group) { // since a moment ago
		return errs.ErrUnsettled
	}
	seed := ring.Seed(group)
	for _, key := range keys {
		if err := p.state.MayServe(ring.Hash(seed, key), p.clock.Now()); err != nil {
			return err
		}
	}
	return nil
}

// IsHeir reports whether a group of the name is about to be registered with what is parked.
func (p *Parking) IsHeir(group string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heirs[group] != nil
}

// A Parked is what a group finds parked for it.
type Parked struct{ group *parkedGroup }

// Enter registers a group by calling register, under Parking's lock, unless something is
// parked for it. That it returns instead: the name is the group's from then on, Deletes wait
// for it, and it is counted in Duties.Handing, which the caller ends, until the mover sees
// what is not this node's any more. It is to be stored by Unload, and then the group enters
// again. taken says that the name is that of another group which does so.
func (p *Parking) Enter(c *owner.Part, register func()) (parked *Parked, taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if heir := p.heirs[c.Name]; heir != nil && heir != c {
		return nil, true
	}
	if g := p.takeLocked(c.Name); g != nil {
		p.heirs[c.Name] = c
		p.duties.Handing.Add(1)
		return &Parked{g}, false
	}
	delete(p.heirs, c.Name)
	register()
	return nil, false
}

// Unload stores what was parked for a group that is about to be registered.
func (p *Parking) Unload(c *owner.Part, parked *Parked) {
	lost, g := 0, parked.group
	for _, l := range g.lists {
		if c.Origin.Load != nil { // it loads them: for who had them and no loader they are lost
			lost += l.left(p.clock.Now(), g.deleted)
			continue
		}
		refused, err := merge(context.Background(), c, l.body, time.Duration(p.clock.Now()-l.arrived), g.deleted)
		if err != nil { // the node was closed
			refused = l.left(p.clock.Now(), g.deleted)
		}
		lost += refused
	}
	p.mu.Lock()
	p.loseLocked(c.Name, lost)
	say := p.sayLocked(p.clock.Now())
	p.mu.Unlock()
	say()
}

// A Held is what a group holds that is being closed, and nobody could load again.
type Held struct {
	lists  []parkedList
	beyond int // values for which Parking could never have room
}

// Any reports whether there is anything to be kept.
func (h *Held) Any() bool { return len(h.lists) > 0 }

// Pack returns what a group holds whose shards are closed, for Keep.
func (p *Parking) Pack(c *owner.Part) *Held {
	h := &Held{}
	now, bytes := p.clock.Now(), 0
	for some := range wire.Cut(valuesHeld(c), func(it parcel) int { return len(it.e.Key) + len(it.e.Data) + parcelOverhead }) {
		body, values := packParcels(some, now)
		if bytes += len(body) + parkedListCost; bytes > p.most {
			h.beyond += values
		} else if list, ok := listOf(body, now); ok && len(body) > 0 {
			h.lists = append(h.lists, list)
		}
	}
	return h
}

// Keep parks what a group held, if it may, and cuts the group with that: whoever deletes a
// key from then on reaches what is parked. It returns how many values had no room.
func (p *Parking) Keep(c *owner.Part, h *Held, may bool) (lost int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lost = h.beyond
	for _, l := range h.lists {
		if !may || !p.addLocked(c.Name, l) {
			lost += l.values
		}
	}
	c.SetCut()
	return lost
}

// valuesHeld returns what nobody could load again. A value of which the origin is being
// written is not among it: whatever comes of that, it is the former one.
func valuesHeld(c *owner.Part) (held []parcel) {
	c.EachSettled(func(hash uint64, e *store.Entry) { held = append(held, parcel{c, hash, e}) })
	return held
}

// Holds reports whether anything is parked for a group.
func (p *Parking) Holds(group string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.groups[group] != nil
}

func (p *Parking) any() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.groups) > 0
}

// ParkingStats are what is parked.
type ParkingStats struct {
	Groups int
	Values int    // not the traces of Deletes
	Bytes  int    // that they take
	Lost   uint64 // values that had to go
}

// Stats returns what is parked.
func (p *Parking) Stats() ParkingStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := ParkingStats{Groups: len(p.groups), Bytes: p.bytes, Lost: p.lost}
	for _, g := range p.groups {
		s.Values += g.values()
	}
	return s
}
