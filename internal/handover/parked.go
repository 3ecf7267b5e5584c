package handover

import (
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A parkedGroup is what came for one of them. Guarded by Parking.mu.
type parkedGroup struct {
	lists   []parkedList // in the order in which they arrived
	deleted deletions
	bytes   int
}

// A deletion is the version of a Delete: what was written later may come.
type deletion = store.Version

// deletions are keys that must not come back.
type deletions map[string]deletion

// have reports whether a value must not come back.
func (d deletions) have(p *wire.Packed) bool {
	at, noted := d[string(p.Key)]
	return noted && !p.Version.After(at)
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
		var p wire.Packed
		if p, rest, ok = wire.CutParcel(rest); !ok {
			return l, false
		}
		if l.newest = max(l.newest, p.Version.Clock); !p.Trace {
			l.values++
		}
		forever = forever || p.Left == 0
		l.until = max(l.until, clock.Later(now, p.Left))
	}
	if forever {
		l.until = 0
	}
	return l, true
}

// left counts the values that have not expired and were not deleted.
func (l *parkedList) left(now int64, deleted deletions) (n int) {
	for rest := l.body; len(rest) > 0; {
		var p wire.Packed
		if p, rest, _ = wire.CutParcel(rest); !p.Trace && !deleted.have(&p) && (p.Left == 0 || now < clock.Later(l.arrived, p.Left)) {
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

// A parkedAt is a list of a group's that is parked.
type parkedAt struct {
	group   string
	list    parkedList
	deleted deletions // of its values
}
