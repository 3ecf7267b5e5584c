package handover

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Values may be handed over to a member that has not registered their group yet,
// as between Start and NewGroup. They are parked until it does, or their TTL has passed.
// When there is no room for others, those go that waited for long: their group may be
// one that nobody will register.
const (
	parkedFor = 30 * time.Second // longer is long

	// MaxGroups bounds the groups for which something is parked: names are the peers' to
	// choose.
	MaxGroups = 256

	// MaxBytes bounds what is parked for all of them, with what is noted about it.
	MaxBytes = 64 << 20

	parkedListCost  = 64  // what a list takes besides its bytes
	parkedKeyCost   = 64  // what a deleted key takes besides its own
	parkedGroupCost = 256 // what a group takes besides its name

	parkedWarnEvery = 10 * time.Second
)

// Parking is what came for groups that are not registered. Its methods are called
// concurrently.
type Parking struct {
	clock      *clock.Clock
	state      *view.State
	log        *slog.Logger
	duties     *owner.Duties
	registered Groups
	run        uint32 // part of the versions that this node gives
	most       int    // MaxBytes, or less of a small Options.TotalBytes

	mu     sync.Mutex // guards the fields below; Groups.IsOpen is asked, and groups are registered, under it
	groups map[string]*parkedGroup
	heirs  map[string]*owner.Part // by name, those that store what was parked, and are registered then
	bytes  int                    // of all groups
	lost   uint64                 // values that had to go
	said   uint64                 // of these, those that were logged
	of     string                 // the group that lost the latest
	warned int64                  // when that was last logged; 0: never
}

// addLocked keeps a list, copied. It reports false if there is no room.
func (p *Parking) addLocked(group string, l parkedList) bool {
	g := p.groups[group]
	cost := len(l.body) + parkedListCost
	if g == nil {
		cost += len(group) + parkedGroupCost
	}
	if p.bytes+cost > p.most || g == nil && len(p.groups) >= MaxGroups {
		return false
	}
	if g == nil {
		g = &parkedGroup{deleted: make(deletions)}
		p.groups[strings.Clone(group)] = g
	}
	l.body = append([]byte{}, l.body...)
	g.lists = append(g.lists, l)
	g.bytes += cost
	p.bytes += cost
	return true
}

// takeLocked returns what was parked for a group, nil if nothing was, and keeps it
// no longer.
func (p *Parking) takeLocked(group string) *parkedGroup {
	g := p.groups[group]
	if g != nil {
		delete(p.groups, group)
		p.bytes -= g.bytes
	}
	return g
}

// dropLocked drops lists whose values have all expired, and with old set those that
// waited for long: these are lost.
func (p *Parking) dropLocked(now int64, old bool) {
	for name, g := range p.groups {
		g.lists = slices.DeleteFunc(g.lists, func(l parkedList) bool {
			expired := l.until != 0 && now >= l.until
			if !expired && !(old && now-l.arrived > int64(parkedFor)) {
				return false
			}
			cost := len(l.body) + parkedListCost
			g.bytes -= cost
			p.bytes -= cost
			if !expired {
				p.loseLocked(name, l.left(now, g.deleted))
			}
			return true
		})
		if len(g.lists) == 0 {
			p.takeLocked(name)
		}
	}
}

// loseLocked counts values of a group that are lost.
func (p *Parking) loseLocked(group string, values int) {
	if values > 0 {
		p.lost += uint64(values)
		p.of = group
	}
}

// sayLocked returns what logs, under no lock, what was lost since it did so last.
func (p *Parking) sayLocked(now int64) (say func()) {
	values, total, group := p.lost-p.said, p.lost, p.of
	if values == 0 || p.warned != 0 && now-p.warned < int64(parkedWarnEvery) {
		return func() {}
	}
	p.said, p.warned = p.lost, max(now, 1)
	return func() {
		p.log.Warn("values for a group that is not registered here are lost: register groups before Start",
			"values", values, "group", group, "total", total)
	}
}

// unparkLocked drops keys of a group, all if keys is nil, by a Delete.
func (p *Parking) unparkLocked(group string, keys []string, by deletion, now int64) {
	g := p.groups[group]
	if g == nil {
		return
	}
	if keys == nil {
		p.takeLocked(group)
		return
	}
	for _, key := range keys {
		if _, noted := g.deleted[key]; noted {
			g.deleted[key] = by
			continue
		}
		cost := len(key) + parkedKeyCost
		if p.bytes+cost > p.most {
			p.loseLocked(strings.Clone(group), g.left(now))
			p.takeLocked(group)
			return
		}
		g.deleted[strings.Clone(key)] = by
		g.bytes += cost
		p.bytes += cost
	}
}

// now returns what is parked.
func (p *Parking) now() (all []parkedAt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, g := range p.groups {
		for _, l := range g.lists {
			at := parkedAt{group: name, list: l, deleted: make(deletions)}
			for rest := l.body; len(g.deleted) > 0 && len(rest) > 0; {
				var one wire.Packed
				if one, rest, _ = wire.CutParcel(rest); g.deleted.have(&one) {
					at.deleted[string(one.Key)] = g.deleted[string(one.Key)]
				}
			}
			all = append(all, at)
		}
	}
	return all
}

// replace keeps of a list only what body has. It reports false if the list is not
// here any more, or the view has changed: see LetGo.
func (p *Parking) replace(v *view.View, at parkedAt, body []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.groups[at.group]
	if g == nil || p.state.View() != v {
		return false
	}
	i := slices.IndexFunc(g.lists, func(l parkedList) bool { return &l.body[0] == &at.list.body[0] })
	if i < 0 {
		return false
	}
	saved := len(at.list.body) - len(body)
	if list, _ := listOf(body, at.list.arrived); len(body) > 0 {
		g.lists[i] = list
	} else {
		g.lists = slices.Delete(g.lists, i, i+1)
		saved += parkedListCost
	}
	g.bytes -= saved
	p.bytes -= saved
	if len(g.lists) == 0 {
		p.takeLocked(at.group)
	}
	return true
}
