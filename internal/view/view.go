// Package view is what a member believes the mesh to be, and what it may do by it.
//
// A [View] is who is in the mesh and who owns which key. A [State] is one member's: the view
// that it has, until when it may act by it, and by what right. Everybody reads it; who
// settles views writes it, through its [Writer].
//
// What holds: a View does not change; of two States' answers within one view, at most one says
// that its member owns a key.
//
// Caveats: that a key is owned by a view is no right to serve it: the right ends by the clock, and
// a view may not have settled.
package view

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A View is what this node believes the mesh to be. But for two flags it is
// immutable, so whoever loads it once acts on one consistent picture.
type View struct {
	Epoch   uint64 // counts this node's own views
	ID      uint64 // equal on two members if they believe in the same members
	Ring    *ring.Ring
	Owners  []Owner // by index in ring.Members()
	Self    int     // this node's index in owners, or -1 while it leaves
	Members []quorum.Member
	Peers   map[string]*Owner // by member ID, those that are leaving included

	// before are the views that this node held since it last settled, oldest
	// first, the settled one included. What this node owned in all of them and
	// owns now, nobody else can have owned meanwhile. Nil if nothing is known.
	before []*View

	// settled says that every member of the view acknowledged it: nobody serves
	// by an older one any more. It goes from false to true, and back only if it
	// turns out that others went on without this node.
	settled atomic.Bool

	// emptied says that they did: what this node owned before proves nothing.
	emptied atomic.Bool
}

// An Owner is a member of the ring, ready to be called.
type Owner struct {
	ID, Name, Addr string
	Life           uint32    // see quorum.Member
	Peer           wire.Peer // nil for this node itself
	Route          *Route    // nil for this node itself, and for an address that a peer named
}

// maxBefore bounds the views that are remembered while the mesh does not settle.
const maxBefore = 64

// New returns the view of members, sorted by ID, that follows old, nil for none. self is
// this node's own ID, and peer returns what calls an address. If forget is set, nothing
// that this node owned before proves anything.
func New(members []quorum.Member, old *View, self string, peer func(addr string) wire.Peer, forget bool) *View {
	byName := make(map[string]quorum.Member, len(members))
	names := make([]string, 0, len(members))
	for _, m := range members {
		if !m.Leaving {
			byName[m.Name] = m
			names = append(names, m.Name)
		}
	}
	v := &View{Epoch: 1, ID: viewID(members), Ring: ring.New(names), Self: -1, Members: members,
		Peers: make(map[string]*Owner, len(members))}
	if old != nil {
		v.Epoch = old.Epoch + 1
	}
	for _, m := range members {
		if m.ID != self {
			v.Peers[m.ID] = &Owner{ID: m.ID, Name: m.Name, Addr: m.Addr, Life: m.Life, Peer: peer(m.Addr), Route: new(Route)}
		}
	}
	for i, name := range v.Ring.Members() {
		m := byName[name]
		o := Owner{ID: m.ID, Name: m.Name, Addr: m.Addr, Life: m.Life}
		if o.ID == self {
			v.Self = i
		} else {
			o = *v.Peers[o.ID]
		}
		v.Owners = append(v.Owners, o)
	}
	if !forget { // what a minority owned, the majority may have written unseen
		v.before = following(old)
	}
	return v
}

// Settled reports whether every member of the view acknowledged it.
func (v *View) Settled() bool { return v.settled.Load() }

// following returns the views that precede the successor of old. That others took
// this node for dead says nothing yet: if they were the majority, its right has
// ended before they acted, and it learns of that before it acts again.
func following(old *View) []*View {
	switch {
	case old == nil:
		return nil
	case old.settled.Load():
		return []*View{old.slim()}
	case old.before == nil || len(old.before) == maxBefore || old.emptied.Load():
		return nil
	}
	return append(old.before[:len(old.before):len(old.before)], old.slim())
}

// slim returns what later views need of v, without the chain behind it.
func (v *View) slim() *View { return &View{Ring: v.Ring, Self: v.Self} }

// viewID returns a number that is equal for equal sets of members, whatever
// epoch each of them counts.
func viewID(members []quorum.Member) uint64 {
	var b []byte
	for _, m := range members { // sorted by ID
		id := m.ID
		b = binary.AppendUvarint(b, uint64(len(id)))
		b = append(b, id...)
		b = binary.AppendUvarint(b, uint64(m.Life)) // it was held for dead in between
		if m.Leaving {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	return max(xxhash.Sum64(b), 1) // 0 stands for none
}

// Owner returns who owns the key, nil if nobody is left to own anything.
func (v *View) Owner(hash uint64) *Owner {
	if i := v.Ring.Owner(hash); i >= 0 {
		return &v.Owners[i]
	}
	return nil
}

// OwnerID returns the id of the key's owner.
func (v *View) OwnerID(hash uint64) string {
	if o := v.Owner(hash); o != nil {
		return o.ID
	}
	return ""
}

// A Standing is what this node is to a key.
type Standing uint8

const (
	Foreign Standing = iota // somebody else owns it
	Gaining                 // it becomes ours, but a former owner may still act: store nothing
	OwnsIt                  // ours alone
)

// Standing returns what this node is to a key in this view.
func (v *View) Standing(hash uint64) Standing {
	if !v.Mine(hash) {
		return Foreign
	}
	return v.OwnStanding(hash)
}

// OwnStanding is Standing for a key that this node owns in this view.
func (v *View) OwnStanding(hash uint64) Standing {
	if v.settled.Load() {
		return OwnsIt
	}
	return v.unsettledStanding(hash)
}

// Mine reports whether this node owns the key in this view.
func (v *View) Mine(hash uint64) bool {
	i := v.Ring.Owner(hash)
	return i == v.Self && i >= 0
}

// unsettledStanding is Standing for a key of this node's before the view settled.
func (v *View) unsettledStanding(hash uint64) Standing {
	if v.before == nil || v.emptied.Load() {
		return Gaining
	}
	for _, b := range v.before {
		if !b.Mine(hash) {
			return Gaining
		}
	}
	return OwnsIt
}

// Kept reports whether a key is this node's and was in the view that settled last, and in
// every one since, whether or not this one has settled.
func (v *View) Kept(hash uint64) bool { return v.Mine(hash) && v.unsettledStanding(hash) == OwnsIt }

// A Route is what this node remembers for a moment of the way to a peer. Times are on
// the node's clock.
type Route struct {
	Relayed atomic.Int64 // until then it is called through others: only they reach it
	Lost    atomic.Int64 // until then nobody is asked to pass calls on: none could
	Alive   atomic.Int64 // until then it passes for alive
}
