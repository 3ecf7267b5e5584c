package membership

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

const (
	maxLost       = 128             // addresses kept
	maxLostRound  = 16              // addresses tried in one round
	lostRetention = 12 * time.Hour  // how long a partition may last and still heal without a seed
	lostBackoff   = 4               // attempts at one address slow down to this many rejoin intervals
	heardPause    = 1 * time.Second // between attempts that packets from one address cause
)

// lostAddr is an address at which a member was lost without having left.
type lostAddr struct {
	absence
	addr  string // that it advertised
	since time.Time
	next  time.Time     // when to try it again
	pause time.Duration // between the last attempt and next
	heard time.Time     // the last packet that counted
}

// lostAddrs remembers where members were lost, so that a partition of any usual length heals although no seed is left,
// and which life they were lost in, so that they can be told.
// Its owner's lock guards it, but for empty.
type lostAddrs struct {
	addrs map[netip.AddrPort]*lostAddr
	n     *atomic.Int32 // len(addrs)
}

func newLostAddrs() lostAddrs {
	return lostAddrs{addrs: make(map[netip.AddrPort]*lostAddr), n: new(atomic.Int32)}
}

// empty may be called without the lock.
func (l lostAddrs) empty() bool { return l.n.Load() == 0 }

func (l lostAddrs) add(p *peer, now time.Time) {
	addr := p.gossip
	l.addrs[addr] = &lostAddr{absence: absence{name: p.Name, boot: p.Boot, life: p.Life}, addr: p.Addr, since: now, next: now}
	if len(l.addrs) > maxLost {
		oldest := addr
		for a, s := range l.addrs {
			if s.since.Before(l.addrs[oldest].since) {
				oldest = a
			}
		}
		delete(l.addrs, oldest)
	}
	l.n.Store(int32(len(l.addrs)))
}

// found forgets a member that is back, at its old address or at a new one, and whatever was lost where it is now.
func (l lostAddrs) found(p *peer) {
	for a, s := range l.addrs {
		if a == p.gossip || s.name == p.Name {
			l.forget(a)
		}
	}
}

// buried says whether the member was lost in this very life. If so it is time to tell it.
func (l lostAddrs) buried(p *peer, now time.Time) bool {
	for _, s := range l.addrs {
		if s.name == p.Name && s.boot == p.Boot && s.life >= p.Life {
			s.next = now
			return true
		}
	}
	return false
}

// lostAt says whether a member was lost at addr and not found again.
func (l lostAddrs) lostAt(addr netip.AddrPort) bool { return l.addrs[addr] != nil }

// absences returns the lives that were lost.
func (l lostAddrs) absences() []absence {
	list := make([]absence, 0, len(l.addrs))
	for _, s := range l.addrs {
		list = append(list, s.absence)
	}
	return list
}

func (l lostAddrs) forget(addr netip.AddrPort) {
	delete(l.addrs, addr)
	l.n.Store(int32(len(l.addrs)))
}

// due returns the addresses to try now, those that wait longest first, and doubles the pause until each is due again.
func (l lostAddrs) due(now time.Time, interval time.Duration) []netip.AddrPort {
	var due []netip.AddrPort
	for a, s := range l.addrs {
		if now.Sub(s.since) > lostRetention {
			l.forget(a)
		} else if !now.Before(s.next) {
			due = append(due, a)
		}
	}
	slices.SortFunc(due, func(a, b netip.AddrPort) int { return l.addrs[a].next.Compare(l.addrs[b].next) })
	due = due[:min(len(due), maxLostRound)]
	for _, a := range due {
		s := l.addrs[a]
		// Half an interval of tolerance: rounds are jittered, and an attempt must not miss its round by a little.
		s.pause = min(max(2*s.pause, interval/2), lostBackoff*interval)
		s.next = now.Add(s.pause)
	}
	return due
}

// heard makes addr due at once, at most once per heardPause, and says whether it did.
func (l lostAddrs) heard(addr netip.AddrPort, now time.Time) bool {
	s, ok := l.addrs[addr]
	if !ok || now.Sub(s.heard) < heardPause {
		return false
	}
	s.heard, s.next = now, now
	return true
}
