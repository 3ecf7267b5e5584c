package memnet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// LookupNetIP returns the address of a host's name, whether it is up or not, or
// of an IP address. The error for a name that is not known is a *net.DNSError.
func (h *Host) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	ip, _, err := h.net.hostPort(net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	return []netip.Addr{ip}, nil
}

// Listen listens for streams. Port 0 picks a free one. Errors are *net.OpError
// around syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, syscall.ENETDOWN after Kill,
// and what is wrong with addr.
func (h *Host) Listen(ctx context.Context, addr string) (net.Listener, error) {
	ip, port, err := h.bindAddr(ctx, addr)
	if err != nil {
		return nil, h.opError("listen", "tcp", netip.AddrPort{}, err)
	}
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	port, err = h.portLocked(port, &h.nextTCP, func(p uint16) bool { return h.listeners[p] != nil || h.streams[p] != nil })
	if err != nil {
		return nil, h.opError("listen", "tcp", netip.AddrPortFrom(ip, port), err)
	}
	l := newListener(h, port)
	h.listeners[port] = l
	return l, nil
}

// ListenPacket binds a socket for packets. Port 0 picks a free one; streams and
// packets have ports of their own. Errors are those of Listen.
func (h *Host) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	ip, port, err := h.bindAddr(ctx, addr)
	if err != nil {
		return nil, h.opError("listen", "udp", netip.AddrPort{}, err)
	}
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	port, err = h.portLocked(port, &h.nextUDP, func(p uint16) bool { return h.sockets[p] != nil })
	if err != nil {
		return nil, h.opError("listen", "udp", netip.AddrPortFrom(ip, port), err)
	}
	c := newPacketConn(h, port)
	h.sockets[port] = c
	return c, nil
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

// Stats returns what the host sent, in former lives of its name too.
func (h *Host) Stats() Stats { return h.counters.snapshot() }

// Stats returns the sum over all hosts.
func (n *Network) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	var sum Stats
	for _, h := range n.hosts {
		s := h.Stats()
		sum.Packets += s.Packets
		sum.PacketBytes += s.PacketBytes
		sum.PacketsLost += s.PacketsLost
		sum.PacketsDropped += s.PacketsDropped
		sum.Dials += s.Dials
		sum.StreamBytes += s.StreamBytes
	}
	return sum
}
