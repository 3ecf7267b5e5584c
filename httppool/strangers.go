package httppool

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// maxStrangers bounds the connections to this member that have proved nothing yet.
const maxStrangers = 256

// strangers keeps the books of connections that were accepted and not yet proved to be a
// peer's: by the shared secret or, without one, by a first frame. They have a budget of
// their own, apart from that of peers, and each has limited time. When there are too many,
// the oldest of the host that has the most is closed: a member shakes hands in
// milliseconds, so those who wait are strangers, and one host does not displace another's.
type strangers struct {
	time    time.Duration // for everything before the proof
	evicted func(net.Conn)

	mu    sync.Mutex // guards all below, and the fields of stranger that say so
	n     int
	hosts map[netip.Prefix]*list.List // of *stranger, oldest first; none is empty
}

// stranger is one connection in the books.
type stranger struct {
	books *strangers
	conn  net.Conn
	host  netip.Prefix
	timer *time.Timer
	since time.Time
	place *list.Element // guarded by strangers.mu; nil: not in the books any more
	ended bool          // closed by the books; guarded by strangers.mu
}

// enter books conn, and closes another if there are too many.
func (b *strangers) enter(conn net.Conn) *stranger {
	s := &stranger{books: b, conn: conn, host: sourceOf(conn.RemoteAddr()), since: time.Now()}
	b.mu.Lock()
	var out *stranger
	if b.n >= maxStrangers {
		out = b.worstLocked()
		out.endLocked()
	}
	if b.hosts == nil {
		b.hosts = make(map[netip.Prefix]*list.List)
	}
	if b.hosts[s.host] == nil {
		b.hosts[s.host] = list.New()
	}
	s.place = b.hosts[s.host].PushBack(s)
	b.n++
	s.timer = time.AfterFunc(b.time, s.expire)
	b.mu.Unlock()
	if out != nil {
		b.evicted(out.conn)
	}
	return s
}

// worstLocked returns the oldest of the host with the most.
func (b *strangers) worstLocked() *stranger {
	var most *list.List
	var at time.Time
	for _, l := range b.hosts {
		first := l.Front().Value.(*stranger)
		if most == nil || l.Len() > most.Len() || l.Len() == most.Len() && first.since.Before(at) {
			most, at = l, first.since
		}
	}
	return most.Front().Value.(*stranger)
}

// expire closes a stranger whose time is over.
func (s *stranger) expire() {
	s.books.mu.Lock()
	in := s.place != nil
	if in {
		s.endLocked()
	}
	s.books.mu.Unlock()
	if in {
		s.books.evicted(s.conn)
	}
}

func (s *stranger) endLocked() {
	s.removeLocked()
	s.ended = true
}

func (s *stranger) removeLocked() {
	l := s.books.hosts[s.host]
	if l.Remove(s.place); l.Len() == 0 {
		delete(s.books.hosts, s.host)
	}
	s.place = nil
	s.books.n--
	s.timer.Stop()
}

// leave takes s out of the books, since it proved itself or was closed. It may be called
// more than once. It reports false if the books closed it, and counted that.
func (s *stranger) leave() bool {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	if s.place != nil {
		s.removeLocked()
	}
	return !s.ended
}

// out reports whether the books closed s.
func (s *stranger) out() bool {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	return s.ended
}

// sourceOf returns whom a connection is counted for: an IPv4 address or an IPv6 network
// of 64 bits, which is what one host has. Other networks' connections count together.
func sourceOf(a net.Addr) netip.Prefix {
	var ip netip.Addr
	if a != nil {
		ip, _ = netip.ParseAddr(hostOf(a.String()))
	}
	bits := 64
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		bits = 32
	}
	p, _ := ip.Prefix(bits)
	return p
}
