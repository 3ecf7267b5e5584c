package memnet

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxHosts bounds how many names a network can know: the addresses of 10.0.0.0/8
// that it gives out.
const maxHosts = 1<<16 - 2

// A Network connects hosts. Its methods are called concurrently.
type Network struct {
	seed uint64
	born time.Time

	mu        sync.Mutex // guards the fields below, and what says so in Host and link
	hosts     map[string]*Host
	ips       map[netip.Addr]string // name by address; an address stays with its name
	links     map[[2]string]*link
	cuts      map[[2]string]bool
	stalls    map[[2]string]bool   // of streams alone
	answers   map[[2]string]answer // to dials, where it is not the usual one
	sides     map[string]int       // of a partition; hosts that are not in it are on side 0
	base      conditions           // of links that have none of their own
	trace     func(Event)
	change    chan struct{} // closed and replaced when a fault is applied or lifted
	packetSeq uint64
}

// New returns a network without hosts, latency or faults.
func New(seed uint64) *Network {
	return &Network{
		seed:    seed,
		born:    time.Now(),
		hosts:   make(map[string]*Host),
		ips:     make(map[netip.Addr]string),
		links:   make(map[[2]string]*link),
		cuts:    make(map[[2]string]bool),
		stalls:  make(map[[2]string]bool),
		answers: make(map[[2]string]answer),
		sides:   make(map[string]int),
		change:  make(chan struct{}),
	}
}

// Host returns the host of a name and adds it if there is none. After Kill it
// returns a new host that has the name and the address of the killed one. It
// panics if name is empty or an IP address, or if there are 65534 names.
func (n *Network) Host(name string) *Host {
	if _, err := netip.ParseAddr(name); err == nil || name == "" {
		panic(fmt.Sprintf("memnet: %q cannot name a host", name))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.hosts[name]; h != nil && !h.dead {
		return h
	}
	h := &Host{
		net: n, name: name, ip: n.addressLocked(name),
		listeners: make(map[uint16]*listener),
		streams:   make(map[uint16]*Conn),
		accepted:  make(map[*Conn]struct{}),
		sockets:   make(map[uint16]*packetConn),
		nextTCP:   firstEphemeral,
		nextUDP:   firstEphemeral,
	}
	if old := n.hosts[name]; old != nil { // counting goes on, and ports are not reused at once
		h.counters = old.counters
		h.nextTCP, h.nextUDP = old.nextTCP, old.nextUDP
	} else {
		h.counters = new(counters)
	}
	n.hosts[name] = h
	return h
}

// addressLocked returns the name's address, giving it one if it is new.
func (n *Network) addressLocked(name string) netip.Addr {
	if h := n.hosts[name]; h != nil {
		return h.ip
	}
	i := len(n.ips) + 1
	if i > maxHosts {
		panic("memnet: too many hosts")
	}
	ip := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
	n.ips[ip] = name
	return ip
}

// linkLocked returns the link from one host to another.
func (n *Network) linkLocked(from, to string) *link {
	key := [2]string{from, to}
	l := n.links[key]
	if l == nil {
		l = newLink(n.seed, from, to)
		if from != to { // a host always reaches itself at once
			l.conditions = n.base
		}
		n.links[key] = l
	}
	return l
}

// isCutLocked reports whether nothing gets from one host to the other.
func (n *Network) isCutLocked(from, to string) bool {
	return n.cuts[[2]string{from, to}] || n.sides[from] != n.sides[to]
}

// stallsLocked reports whether no byte of a stream gets from one host to the other.
func (n *Network) stallsLocked(from, to string) bool {
	return n.isCutLocked(from, to) || n.stalls[[2]string{from, to}]
}

// sortedHostsLocked returns the hosts in an order that does not vary from run to
// run, as the effects of a fault must not.
func (n *Network) sortedHostsLocked() []*Host {
	return slices.SortedFunc(maps.Values(n.hosts), func(a, b *Host) int { return a.ip.Compare(b.ip) })
}

// hostPort splits an address whose host is a name, an IP address or empty. An
// empty or unspecified host gives the invalid address.
func (n *Network) hostPort(addr string) (netip.Addr, uint16, error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.Addr{}, 0, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return netip.Addr{}, 0, &net.AddrError{Err: "invalid port", Addr: addr}
	}
	if host == "" {
		return netip.Addr{}, uint16(port), nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip = ip.Unmap(); ip.IsUnspecified() {
			ip = netip.Addr{}
		}
		return ip, uint16(port), nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[host]
	if h == nil {
		return netip.Addr{}, 0, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return h.ip, uint16(port), nil
}
