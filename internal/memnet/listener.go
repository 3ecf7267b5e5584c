package memnet

import (
	"net"
	"net/netip"
	"sync"
)

// maxBacklog bounds the streams that wait to be accepted at one listener.
const maxBacklog = 256

// A listener is guarded by the network's lock, like the host it belongs to.
type listener struct {
	host    *Host
	addr    netip.AddrPort
	backlog []*Conn
	closed  bool
	ready   sync.Cond // of the network's lock: a stream can be accepted, or it was closed
}

func newListener(h *Host, port uint16) *listener {
	l := &listener{host: h, addr: netip.AddrPortFrom(h.ip, port)}
	l.ready.L = &h.net.mu
	return l
}

// Accept waits for a stream. After Close it returns net.ErrClosed.
func (l *listener) Accept() (net.Conn, error) {
	n := l.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	for !l.closed && (len(l.backlog) == 0 || l.host.paused) {
		l.ready.Wait()
	}
	if l.closed {
		return nil, l.host.opError("accept", "tcp", l.addr, net.ErrClosed)
	}
	if len(l.backlog) == maxBacklog {
		n.changedLocked() // there is room for those who dial
	}
	c := l.backlog[0]
	l.backlog = l.backlog[1:]
	return c, nil
}

// Close stops listening. Streams that were not accepted are reset.
func (l *listener) Close() error {
	l.host.net.mu.Lock()
	defer l.host.net.mu.Unlock()
	if l.closed {
		return l.host.opError("close", "tcp", l.addr, net.ErrClosed)
	}
	l.closeLocked()
	return nil
}

func (l *listener) closeLocked() {
	l.closed = true
	delete(l.host.listeners, l.addr.Port())
	for _, c := range l.backlog {
		c.abortLocked()
	}
	l.backlog = nil
	l.ready.Broadcast()
	l.host.net.changedLocked()
}

// Addr returns a *net.TCPAddr.
func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }
