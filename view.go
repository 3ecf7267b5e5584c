package cachemesh

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
	"github.com/praveenduddu/cachemesh/membership"
)

// A Member is one process in the mesh, as this node sees it.
type Member struct {
	Name    string
	Addr    string // what peers dial
	Self    bool
	Leaving bool // it is shutting down and owns nothing any more
}

// A view is what this node believes the mesh to be. But for two flags it is
// immutable, so whoever loads it once acts on one consistent picture.
type view struct {
	epoch   uint64 // counts this node's own views
	id      uint64 // equal on two members if they believe in the same members
	ring    *ring.Ring
	owners  []owner // by index in ring.Members()
	self    int     // this node's index in owners, or -1 while it leaves
	members []membership.Member
	peers   map[string]*owner // by member ID, those that are leaving included

	// before are the views that this node held since it last settled, oldest
	// first, the settled one included. What this node owned in all of them and
	// owns now, nobody else can have owned meanwhile. Nil if nothing is known.
	before []*view

	// settled says that every member of the view acknowledged it: nobody serves
	// by an older one any more. It goes from false to true, and back only if it
	// turns out that others went on without this node.
	settled atomic.Bool

	// emptied says that they did: what this node owned before proves nothing.
	emptied atomic.Bool
}

// An owner is a member of the ring, ready to be called.
type owner struct {
	id, name, addr string
	peer           wire.Peer // nil for this node itself
	route          *route    // nil for this node itself, and for an address that a peer named
}

// maxBefore bounds the views that are remembered while the mesh does not settle.
const maxBefore = 64

// newView returns the view of members that follows old, nil for none.
func (n *Node) newView(members []membership.Member, old *view) *view {
	byName := make(map[string]membership.Member, len(members))
	names := make([]string, 0, len(members))
	for _, m := range members {
		if !m.Leaving {
			byName[m.Name] = m
			names = append(names, m.Name)
		}
	}
	v := &view{epoch: 1, id: viewID(members), ring: ring.New(names), self: -1, members: members,
		peers: make(map[string]*owner, len(members))}
	if old != nil {
		v.epoch = old.epoch + 1
	}
	for _, m := range members {
		if id := m.ID(); id != n.id {
			v.peers[id] = &owner{id: id, name: m.Name, addr: m.Addr, peer: n.peers.peer(m.Addr), route: new(route)}
		}
	}
	for i, name := range v.ring.Members() {
		m := byName[name]
		o := owner{id: m.ID(), name: m.Name, addr: m.Addr}
		if o.id == n.id {
			v.self = i
		} else {
			o = *v.peers[o.id]
		}
		v.owners = append(v.owners, o)
	}
	if !n.limited() { // what a minority owned, the majority may have written unseen
		v.before = following(old)
	}
	return v
}

// following returns the views that precede the successor of old. That others took
// this node for dead says nothing yet: if they were the majority, its right has
// ended before they acted, and it learns of that before it acts again.
func following(old *view) []*view {
	switch {
	case old == nil:
		return nil
	case old.settled.Load():
		return []*view{old.slim()}
	case old.before == nil || len(old.before) == maxBefore || old.emptied.Load():
		return nil
	}
	return append(old.before[:len(old.before):len(old.before)], old.slim())
}

// slim returns what later views need of v, without the chain behind it.
func (v *view) slim() *view { return &view{ring: v.ring, self: v.self} }

// quorum returns the view as the quorum's core sees it.
func (v *view) quorum() quorum.View { return quorum.View{ID: v.id, Members: quorumMembers(v.members)} }

func quorumMembers(members []membership.Member) []quorum.Member {
	list := make([]quorum.Member, len(members))
	for i, m := range members {
		list[i] = quorumMember(m)
	}
	return list
}

func quorumMember(m membership.Member) quorum.Member {
	return quorum.Member{ID: m.ID(), Name: m.Name, Addr: m.Addr, Life: m.Life, Leaving: m.Leaving}
}

// viewID returns a number that is equal for equal sets of members, whatever
// epoch each of them counts.
func viewID(members []membership.Member) uint64 {
	var b []byte
	for _, m := range members { // sorted by ID
		id := m.ID()
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

// owner returns who owns the key, nil if nobody is left to own anything.
func (v *view) owner(hash uint64) *owner {
	if i := v.ring.Owner(hash); i >= 0 {
		return &v.owners[i]
	}
	return nil
}

// ownerID returns the id of the key's owner.
func (v *view) ownerID(hash uint64) string {
	if o := v.owner(hash); o != nil {
		return o.id
	}
	return ""
}

// A standing is what this node is to a key.
type standing uint8

const (
	foreign standing = iota // somebody else owns it
	gaining                 // it becomes ours, but a former owner may still act: store nothing
	ownsIt                  // ours alone
)

// standing returns what this node is to a key in this view.
func (v *view) standing(hash uint64) standing {
	switch {
	case !v.mine(hash):
		return foreign
	case v.settled.Load():
		return ownsIt
	}
	return v.unsettledStanding(hash)
}

// mine reports whether this node owns the key in this view.
func (v *view) mine(hash uint64) bool {
	i := v.ring.Owner(hash)
	return i == v.self && i >= 0
}

// unsettledStanding is standing for a key of this node's before the view settled.
func (v *view) unsettledStanding(hash uint64) standing {
	if v.before == nil || v.emptied.Load() {
		return gaining
	}
	for _, b := range v.before {
		if !b.mine(hash) {
			return gaining
		}
	}
	return ownsIt
}
