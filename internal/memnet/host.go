package memnet

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// Ports that are given out to who asks for port 0, and to those who dial.
const firstEphemeral, lastEphemeral = 32768, 65535

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

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// IP returns the host's address.
func (h *Host) IP() netip.Addr { return h.ip }

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
