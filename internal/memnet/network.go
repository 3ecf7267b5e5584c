package memnet

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
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

// A Host is one machine of a network, until it is killed. Its methods are called
// concurrently. Addresses are "host:port", the host being a name, an IP address
// or empty for this host.
type Host struct {
	net      *Network
	name     string
	ip       netip.Addr
	counters *counters

	// Guarded by the network's lock.
	dead, paused bool
	listeners    map[uint16]*listener
	streams      map[uint16]*Conn // dialled here, by local port
	accepted     map[*Conn]struct{}
	sockets      map[uint16]*packetConn
	held         []heldPacket // sent while paused
	nextTCP      uint16
	nextUDP      uint16
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

// An answer is what a host's dials to another come to.
type answer uint8

const (
	accepts answer = iota
	refuses
	hangsUp
)

// An Event is a fault that was applied or lifted.
type Event struct {
	At    time.Duration // since New
	Fault string        // such as "cut a -> b"
}

func (e Event) String() string { return fmt.Sprintf("%10v  %s", e.At, e.Fault) }

// changedLocked wakes those who wait to dial.
func (n *Network) changedLocked() {
	close(n.change)
	n.change = make(chan struct{})
}

// Ports that are given out to who asks for port 0, and to those who dial.
const firstEphemeral, lastEphemeral = 32768, 65535

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// IP returns the host's address.
func (h *Host) IP() netip.Addr { return h.ip }

func (h *Host) bindAddr(ctx context.Context, addr string) (netip.Addr, uint16, error) {
	if err := ctx.Err(); err != nil {
		return netip.Addr{}, 0, err
	}
	ip, port, err := h.net.hostPort(addr)
	if err == nil && ip.IsValid() && ip != h.ip {
		err = os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)
	}
	return h.ip, port, err
}

// portLocked returns port, or for port 0 the next one that is free.
func (h *Host) portLocked(port uint16, next *uint16, used func(uint16) bool) (uint16, error) {
	if h.dead {
		return port, os.NewSyscallError("bind", syscall.ENETDOWN)
	}
	if port != 0 {
		if used(port) {
			return port, os.NewSyscallError("bind", syscall.EADDRINUSE)
		}
		return port, nil
	}
	for range lastEphemeral - firstEphemeral + 1 {
		port = *next
		if *next++; *next < firstEphemeral { // it wrapped around
			*next = firstEphemeral
		}
		if !used(port) {
			return port, nil
		}
	}
	return 0, os.NewSyscallError("bind", syscall.EADDRINUSE)
}

// forgetLocked takes a closed stream from the books.
func (h *Host) forgetLocked(c *Conn) {
	if c.dialled {
		delete(h.streams, c.local.Port())
	} else {
		delete(h.accepted, c)
	}
}

// opError says what failed, with the address that is not the host's own, if any.
func (h *Host) opError(op, network string, addr netip.AddrPort, err error) error {
	e := &net.OpError{Op: op, Net: network, Err: err}
	if addr.IsValid() {
		if e.Addr = net.Addr(net.TCPAddrFromAddrPort(addr)); network == "udp" {
			e.Addr = net.UDPAddrFromAddrPort(addr)
		}
	}
	return e
}
