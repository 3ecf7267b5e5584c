package cachemesh

import (
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// Values that are parked move on with their keys like those in stores: before this node
// acknowledges a view, those that are another's by it are sent there.

// A parkedAt is a list of a group's that is parked.
type parkedAt struct {
	group   string
	list    parkedList
	deleted deletions // of its values
}

// parkedNow returns what is parked.
func (n *Node) parkedNow() (all []parkedAt) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, g := range n.parked.groups {
		for _, l := range g.lists {
			at := parkedAt{group: name, list: l, deleted: make(deletions)}
			for rest := l.body; len(g.deleted) > 0 && len(rest) > 0; {
				var one packed
				if one, rest, _ = cutParcel(rest); g.deleted.have(&one) {
					at.deleted[string(one.key)] = g.deleted[string(one.key)]
				}
			}
			all = append(all, at)
		}
	}
	return all
}

// lookParked sends on what is parked here and another's by now, one list after the other:
// there are 64 MiB of them at most.
func (p *pass) lookParked() {
	late := make(map[int]bool)
	for _, at := range p.n.parkedNow() {
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
	theirs := make(map[int][]packed)
	var stay []byte // as it is in the list
	moved := false
	for body := at.list.body; len(body) > 0; {
		one, rest, _ := cutParcel(body)
		raw := body[:len(body)-len(rest)]
		body = rest
		switch i := p.v.Ring.Owner(ring.Hash(seed, string(one.key))); {
		case i >= 0 && i == p.v.Self:
			stay = append(stay, raw...)
		case i < 0 && p.n.state.Tracing(), i >= 0 && late[i]:
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
			stay = appendParcel(stay, one.key, &one)
		}
	}
	if moved {
		p.n.replaceParked(p.v, at, stay)
	}
}

// repack makes a list of values that have been parked since arrived.
func (p *pass) repack(parked []packed, arrived int64) (body []byte, values int) {
	age := time.Duration(p.n.clock.Now() - arrived)
	for _, one := range parked {
		if one.left != 0 {
			if one.left -= age; one.left <= 0 {
				continue
			}
		}
		if !one.trace {
			values++
		}
		body = appendParcel(body, one.key, &one)
	}
	return body, values
}

// replaceParked keeps of a list only what body has. It reports false if the list is not
// here any more, or the view has changed: see LetGo.
func (n *Node) replaceParked(v *view.View, at parkedAt, body []byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	g := n.parked.groups[at.group]
	if g == nil || n.state.View() != v {
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
	n.parked.bytes -= saved
	if len(g.lists) == 0 {
		n.parked.takeLocked(at.group)
	}
	return true
}

// loseParked forgets what is parked and this node does not own by its view v, all if that
// is nil, and counts it as lost.
func (n *Node) loseParked(v *view.View) {
	for _, at := range n.parkedNow() {
		seed := ring.Seed(at.group)
		var stay, gone []byte
		for body := at.list.body; len(body) > 0; {
			one, rest, _ := cutParcel(body)
			raw := body[:len(body)-len(rest)]
			body = rest
			if v != nil && v.Mine(ring.Hash(seed, string(one.key))) {
				stay = append(stay, raw...)
			} else {
				gone = append(gone, raw...)
			}
		}
		lost := (&parkedList{body: gone, arrived: at.list.arrived}).left(n.clock.Now(), at.deleted)
		if n.replaceParked(v, at, stay) {
			n.loseValues(at.group, lost)
		}
	}
}
