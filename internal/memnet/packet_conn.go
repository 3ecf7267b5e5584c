package memnet

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Bounds of a socket's queue, beyond which packets are dropped.
const (
	queuePackets = 1024
	queueBytes   = 2 << 20
	maxPacket    = 65507 // as over UDP and IPv4
)

// A packetConn is a socket for packets.
type packetConn struct {
	host *Host
	addr netip.AddrPort

	mu       sync.Mutex // guards the fields below; taken after the network's lock
	readers  sync.Cond
	queue    packetQueue
	bytes    int
	closed   bool
	paused   bool
	arrival  alarm
	deadline alarm // of reading; sending never waits
}

func newPacketConn(h *Host, port uint16) *packetConn {
	c := &packetConn{host: h, addr: netip.AddrPortFrom(h.ip, port), paused: h.paused}
	c.readers.L = &c.mu
	return c
}

// WriteTo sends a packet to a *net.UDPAddr and never waits. That it returns nil
// does not say that the packet arrives. Errors are *net.OpError around
// net.ErrClosed, syscall.EMSGSIZE and an address of another type.
func (c *packetConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, c.host.opError("write", "udp", c.addr, errors.New("memnet: not a *net.UDPAddr"))
	}
	dst := to.AddrPort()
	dst = netip.AddrPortFrom(dst.Addr().Unmap(), dst.Port())
	if len(b) > maxPacket {
		return 0, c.host.opError("write", "udp", dst, os.NewSyscallError("sendto", syscall.EMSGSIZE))
	}
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return 0, c.host.opError("write", "udp", dst, net.ErrClosed)
	}
	c.host.send(c.addr, dst, append([]byte(nil), b...))
	return len(b), nil
}

// ReadFrom waits for a packet. What does not fit b is lost.
func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, nil, c.host.opError("read", "udp", c.addr, net.ErrClosed)
		case c.deadline.expired():
			return 0, nil, c.host.opError("read", "udp", c.addr, os.ErrDeadlineExceeded)
		case !c.paused && len(c.queue) > 0:
			if due := c.queue[0].due; !due.IsZero() && due.After(time.Now()) {
				c.arrival.set(due)
				c.arrival.arm(c.wake)
				break
			}
			p := c.queue.pop()
			c.bytes -= len(p.data)
			return copy(b, p.data), net.UDPAddrFromAddrPort(p.from), nil
		}
		c.deadline.arm(c.wake)
		c.readers.Wait()
	}
}

// deliver queues a packet. It reports whether there was room.
func (c *packetConn) deliver(p packet) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.queue) == queuePackets || c.bytes+len(p.data) > queueBytes {
		return false
	}
	c.bytes += len(p.data)
	c.queue.push(p)
	c.readers.Signal()
	return true
}

func (c *packetConn) wake() {
	c.mu.Lock()
	c.readers.Broadcast()
	c.mu.Unlock()
}

// setPaused makes readers wait, or lets them go on.
func (c *packetConn) setPaused(paused bool) {
	c.mu.Lock()
	c.paused = paused
	c.readers.Broadcast()
	c.mu.Unlock()
}

// loseInFlight drops packets that have not arrived, if their sender is cut off.
func (c *packetConn) loseInFlight(isCut func(netip.Addr) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.bytes -= c.queue.remove(func(p packet) bool {
		return !p.due.IsZero() && p.due.After(now) && isCut(p.from.Addr())
	})
}

// Close ends reading. Packets that were not read are lost.
func (c *packetConn) Close() error {
	if !c.shut() {
		return c.host.opError("close", "udp", c.addr, net.ErrClosed)
	}
	c.host.net.mu.Lock()
	defer c.host.net.mu.Unlock()
	delete(c.host.sockets, c.addr.Port())
	return nil
}

// shut reports false if the socket was closed before.
func (c *packetConn) shut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.closed
	c.closed, c.queue, c.bytes = true, nil, 0
	c.arrival.stop()
	c.deadline.stop()
	c.readers.Broadcast()
	return !was
}

// LocalAddr returns a *net.UDPAddr.
func (c *packetConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.addr) }

// SetDeadline sets the deadline of reading.
func (c *packetConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline ends ReadFrom, if it waits and from then on, at t.
func (c *packetConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.host.opError("set", "udp", c.addr, net.ErrClosed)
	}
	c.deadline.set(t)
	c.readers.Broadcast()
	return nil
}

// SetWriteDeadline does nothing: sending never waits.
func (c *packetConn) SetWriteDeadline(time.Time) error { return nil }

// send decides the fate of a packet, whose data it keeps.
func (h *Host) send(from, to netip.AddrPort, data []byte) {
	h.counters.packets.Add(1)
	h.counters.packetBytes.Add(uint64(len(data)))
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.paused && len(h.held) < maxHeld {
		h.held = append(h.held, heldPacket{from, to, data})
		return
	}
	h.sendLocked(heldPacket{from, to, data})
}

func (h *Host) sendLocked(p heldPacket) {
	n := h.net
	name, known := n.ips[p.to.Addr()]
	if !known || h.dead || h.paused || n.isCutLocked(h.name, name) {
		h.counters.lost.Add(1)
		return
	}
	l := n.linkLocked(h.name, name)
	if l.loss > 0 && l.packets.Float64() < l.loss {
		h.counters.lost.Add(1)
		return
	}
	var due time.Time
	if l.max > 0 {
		due = time.Now().Add(l.latency(l.packets))
	}
	socket := n.hosts[name].sockets[p.to.Port()]
	if socket == nil {
		h.counters.lost.Add(1)
		return
	}
	n.packetSeq++
	if !socket.deliver(packet{from: p.from, data: p.data, due: due, seq: n.packetSeq}) {
		h.counters.dropped.Add(1)
	}
}
