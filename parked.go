package cachemesh

import (
	"slices"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
)

// Values may be handed over to a member that has not registered their group yet,
// as between Start and NewGroup. They are parked until it does, or their TTL has passed.
// When there is no room for others, those go that waited for long: their group may be
// one that nobody will register.
const (
	parkedFor    = 30 * time.Second // longer is long
	parkedGroups = 256              // names are the peers' to choose
	parkedBytes  = 64 << 20         // of all groups, with what is noted about them

	parkedShare = 4 // with Options.TotalBytes at most a quarter of it

	parkedListCost  = 64  // what a list takes besides its bytes
	parkedKeyCost   = 64  // what a deleted key takes besides its own
	parkedGroupCost = 256 // what a group takes besides its name

	parkedWarnEvery = 10 * time.Second
)

// parking is what came for groups that are not registered. Guarded by Node.mu.
type parking struct {
	groups map[string]*parkedGroup
	heirs  map[string]*groupCore // by name, those that store what was parked, and are registered then
	bytes  int                   // of all groups
	most   int                   // parkedBytes, or less of a small Options.TotalBytes; set before the node is used
	lost   uint64                // values that had to go
	said   uint64                // of these, those that were logged
	of     string                // the group that lost the latest
	warned int64                 // when that was last logged; 0: never
}

// A parkedGroup is what came for one of them. Guarded by Node.mu.
type parkedGroup struct {
	lists   []parkedList // in the order in which they arrived
	deleted deletions
	bytes   int
}

// A deletion is the version of a Delete: what was written later may come.
type deletion struct {
	version uint64
	primary uint32
}

// deletions are keys that must not come back.
type deletions map[string]deletion

// have reports whether a value must not come back.
func (d deletions) have(p *packed) bool {
	at, noted := d[string(p.key)]
	return noted && (p.primary < at.primary || p.primary == at.primary && p.version <= at.version)
}

type parkedList struct {
	body    []byte
	values  int    // not the traces of Deletes
	newest  uint64 // version
	arrived int64  // on the node's clock
	until   int64  // when the last TTL ends; 0: never
}

// listOf returns a list that arrived now. It reports false if it is malformed.
func listOf(body []byte, now int64) (l parkedList, ok bool) {
	l = parkedList{body: body, arrived: now}
	forever := false
	for rest := body; len(rest) > 0; {
		var p packed
		if p, rest, ok = cutParcel(rest); !ok {
			return l, false
		}
		if l.newest = max(l.newest, p.version); !p.trace {
			l.values++
		}
		forever = forever || p.left == 0
		l.until = max(l.until, clock.Later(now, p.left))
	}
	if forever {
		l.until = 0
	}
	return l, true
}

// left counts the values that have not expired and were not deleted.
func (l *parkedList) left(now int64, deleted deletions) (n int) {
	for rest := l.body; len(rest) > 0; {
		var p packed
		if p, rest, _ = cutParcel(rest); !p.trace && !deleted.have(&p) && (p.left == 0 || now < clock.Later(l.arrived, p.left)) {
			n++
		}
	}
	return n
}

// left counts those of all lists.
func (g *parkedGroup) left(now int64) (n int) {
	for i := range g.lists {
		n += g.lists[i].left(now, g.deleted)
	}
	return n
}

func (g *parkedGroup) values() (n int) {
	for _, l := range g.lists {
		n += l.values
	}
	return n
}

// addLocked keeps a list, copied. It reports false if there is no room.
func (p *parking) addLocked(group string, l parkedList) bool {
	g := p.groups[group]
	cost := len(l.body) + parkedListCost
	if g == nil {
		cost += len(group) + parkedGroupCost
	}
	if p.bytes+cost > p.most || g == nil && len(p.groups) >= parkedGroups {
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
func (p *parking) takeLocked(group string) *parkedGroup {
	g := p.groups[group]
	if g != nil {
		delete(p.groups, group)
		p.bytes -= g.bytes
	}
	return g
}

// dropLocked drops lists whose values have all expired, and with old set those that
// waited for long: these are lost.
func (p *parking) dropLocked(now int64, old bool) {
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
func (p *parking) loseLocked(group string, values int) {
	if values > 0 {
		p.lost += uint64(values)
		p.of = group
	}
}

// sayLocked returns what logs, under no lock, what was lost since it did so last.
func (p *parking) sayLocked(now int64) (say func(*Node)) {
	values, total, group := p.lost-p.said, p.lost, p.of
	if values == 0 || p.warned != 0 && now-p.warned < int64(parkedWarnEvery) {
		return func(*Node) {}
	}
	p.said, p.warned = p.lost, max(now, 1)
	return func(n *Node) {
		n.log.Warn("values for a group that is not registered here are lost: register groups before Start",
			"values", values, "group", group, "lost so far", total)
	}
}

func (p *parking) unparkLocked(group string, keys []string, by deletion, now int64) {
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
