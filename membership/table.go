package membership

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxMembers bounds the table, so that a peer that invents names cannot grow it for ever.
const maxMembers = 4096

// peer is another member and where it gossips.
type peer struct {
	Member
	gossip    netip.AddrPort
	published bool      // it is in the latest view
	leftAt    time.Time // when somebody was heard to say that it left; zero: never
}

// leftFor is how long such hearsay counts. If it is news, the drop follows at once; if it is not followed by one it was
// about an earlier life, and the member is as it says itself.
const leftFor = time.Second

// clean says whether a member that is gone now went on purpose.
func (p *peer) clean(now time.Time) bool {
	return p.Leaving || !p.leftAt.IsZero() && now.Sub(p.leftAt) < leftFor
}

// table records what memberlist's events say, until the next view is made of it.
//
// It exists because memberlist.Members returns pointers into live state, which memberlist goes on writing to under a
// lock of its own; only inside an event may they be read. Events are called under that lock, so table methods take
// t.mu for a few map operations, call nothing, and never block.
type table struct {
	changed chan struct{} // one slot: something in the table is newer than the latest view

	mu       sync.Mutex // guards the fields below
	self     Member
	peers    map[string]*peer     // by name, without self
	gone     map[string]Departure // by ID: members of the latest view that went since
	returned bool                 // others held this life of this member for dead
	lost     lostAddrs            // where members were lost; the pointer in it never changes
}

func newTable(self Member) *table {
	return &table{
		changed: make(chan struct{}, 1),
		self:    self,
		peers:   make(map[string]*peer),
		gone:    make(map[string]Departure),
		lost:    newLostAddrs(),
	}
}

// poke asks for a new view; a request that waits already stands for this one too.
func (t *table) poke() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// put records a member that joined or changed. Another boot under the same name is a departure and a new member. A life
// that this member has seen die stays hidden, and put returns false: it has to be told, and to begin another.
func (t *table) put(p peer, now time.Time) bool {
	t.mu.Lock()
	if t.lost.buried(&p, now) {
		t.mu.Unlock()
		return false
	}
	if old, ok := t.peers[p.Name]; ok {
		if old.Boot == p.Boot {
			p.published = old.published
		} else {
			t.departLocked(old, now)
		}
	}
	t.peers[p.Name] = &p
	t.lost.found(&p)
	t.mu.Unlock()
	t.poke()
	return true
}

// leaves records hearsay that a member said itself that it is gone; if it is news, drop follows.
func (t *table) leaves(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.peers[p.Name]; ok && known.Boot == p.Boot {
		known.leftAt = time.Now()
	}
}

// drop records that gossip declared a member dead or gone.
func (t *table) drop(name string, now time.Time) {
	t.mu.Lock()
	if p, ok := t.peers[name]; ok {
		delete(t.peers, name)
		t.departLocked(p, now)
	}
	t.mu.Unlock()
	t.poke()
}

func (t *table) departLocked(p *peer, now time.Time) {
	clean := p.clean(now)
	if !clean {
		t.lost.add(p, now)
	}
	if !p.published {
		return // no view ever held it: there is nothing to take back
	}
	d := Departure{Member: p.Member, Clean: clean, At: now}
	if earlier, ok := t.gone[p.ID()]; ok {
		d.Clean = d.Clean && earlier.Clean
	}
	t.gone[p.ID()] = d
}

// full says whether a member of an unknown name would pass the bound.
func (t *table) full(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.peers[name] == nil && len(t.peers) >= maxMembers
}

// setLeaving marks this member as leaving.
func (t *table) setLeaving() {
	t.mu.Lock()
	t.self.Leaving = true
	t.mu.Unlock()
	t.poke()
}

// absences returns what others have to know about their own deaths, as this member saw them.
func (t *table) absences() []absence {
	if t.lost.empty() {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost.absences()
}

// told records what another member said about deaths; only this member's own, of its present life, counts.
func (t *table) told(absences []absence) {
	t.mu.Lock()
	for _, a := range absences {
		if a.name == t.self.Name && a.boot == t.self.Boot && a.life == t.self.Life {
			t.returned = true
		}
	}
	returned := t.returned
	t.mu.Unlock()
	if returned {
		t.poke()
	}
}

// selfMember returns this member as the next view will show it.
func (t *table) selfMember() Member {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.self
}

// take returns what the next view holds, and counts it as published.
func (t *table) take() *View {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.returned {
		t.self.Life++
	}
	v := &View{Members: make([]Member, 0, 1+len(t.peers)), Returned: t.returned}
	v.Members = append(v.Members, t.self)
	for _, p := range t.peers {
		p.published = true
		v.Members = append(v.Members, p.Member)
	}
	slices.SortFunc(v.Members, compareMembers)
	for _, d := range t.gone {
		v.Gone = append(v.Gone, d)
	}
	slices.SortFunc(v.Gone, func(a, b Departure) int { return strings.Compare(a.Member.ID(), b.Member.ID()) })
	clear(t.gone)
	t.returned = false
	return v
}

// peerAddrs returns the gossip addresses of all other members.
func (t *table) peerAddrs() []netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	addrs := make([]netip.AddrPort, 0, len(t.peers))
	for _, p := range t.peers {
		addrs = append(addrs, p.gossip)
	}
	return addrs
}

// at returns the member that gossips at addr.
func (t *table) at(addr netip.AddrPort) (Member, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.peers {
		if p.gossip == addr {
			return p.Member, true
		}
	}
	return Member{}, false
}

// advertisedAt returns the host:port that the member at addr advertises, also if it was lost there; "" if none is known.
func (t *table) advertisedAt(addr netip.AddrPort) string {
	if p, ok := t.at(addr); ok {
		return p.Addr
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.lost.addrs[addr]; s != nil {
		return s.addr
	}
	return ""
}

// lostAt says whether a member was lost at addr, and is still dead or hidden.
func (t *table) lostAt(addr netip.AddrPort) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost.lostAt(addr)
}

// alone says whether this member knows no other.
func (t *table) alone() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.peers) == 0
}

// missing returns lost addresses whose next attempt is due, and schedules the attempts that follow.
func (t *table) missing(now time.Time, interval time.Duration) []netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost.due(now, interval)
}

// heard notes a packet from addr and says whether a member held for dead sent it, which should be contacted at once.
func (t *table) heard(addr netip.AddrPort, now time.Time) bool {
	if t.lost.empty() {
		return false // the usual case, without the lock: this runs once per packet
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost.heard(addr, now)
}
