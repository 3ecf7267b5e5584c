package memnet

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Dial opens a stream. It takes a round trip; it waits while a link between the
// hosts is cut either way, while this host is paused and while the listener has
// too many waiting. A paused host's system still accepts.
//
// Errors are *net.OpError around syscall.ECONNREFUSED if nobody listens, the host
// was killed or RefuseStreams says so, syscall.EHOSTUNREACH if the network never had that address,
// a *net.DNSError for an unknown name, syscall.ENETDOWN if this host was killed,
// and ctx's own.
func (h *Host) Dial(ctx context.Context, addr string) (net.Conn, error) {
	ip, port, err := h.net.hostPort(addr)
	if err != nil {
		return nil, h.opError("dial", "tcp", netip.AddrPort{}, err)
	}
	if !ip.IsValid() {
		ip = h.ip
	}
	to := netip.AddrPortFrom(ip, port)
	travelled := false
	for {
		if err := ctx.Err(); err != nil {
			return nil, h.opError("dial", "tcp", to, err)
		}
		c, wait, err := h.tryDial(to, travelled)
		switch {
		case err != nil:
			return nil, h.opError("dial", "tcp", to, err)
		case c != nil:
			return c, nil
		}
		travelled = travelled || wait.trip > 0
		if err := wait.done(ctx); err != nil {
			return nil, h.opError("dial", "tcp", to, err)
		}
	}
}

// A dialWait is what a dial must wait for: its round trip, or else a change.
type dialWait struct {
	trip   time.Duration
	change <-chan struct{}
}

func (w dialWait) done(ctx context.Context) error {
	if w.trip == 0 {
		select {
		case <-w.change:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	t := time.NewTimer(w.trip)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tryDial connects, fails or says what to wait for.
func (h *Host) tryDial(to netip.AddrPort, travelled bool) (net.Conn, dialWait, error) {
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	name, known := n.ips[to.Addr()]
	switch {
	case h.dead:
		return nil, dialWait{}, os.NewSyscallError("connect", syscall.ENETDOWN)
	case !known:
		return nil, dialWait{}, os.NewSyscallError("connect", syscall.EHOSTUNREACH)
	case h.paused || n.stallsLocked(h.name, name) || n.stallsLocked(name, h.name):
		return nil, dialWait{change: n.change}, nil
	}
	if !travelled {
		there, back := n.linkLocked(h.name, name), n.linkLocked(name, h.name)
		if trip := there.latency(there.streams) + back.latency(back.streams); trip > 0 {
			return nil, dialWait{trip: trip}, nil
		}
	}
	peer, answer := n.hosts[name], n.answers[[2]string{h.name, name}]
	l := peer.listeners[to.Port()]
	if l == nil || answer == refuses {
		return nil, dialWait{}, os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}
	if len(l.backlog) == maxBacklog && answer == accepts {
		return nil, dialWait{change: n.change}, nil
	}
	port, err := h.portLocked(0, &h.nextTCP, func(p uint16) bool { return h.listeners[p] != nil || h.streams[p] != nil })
	if err != nil {
		return nil, dialWait{}, err
	}
	near, far := n.connectLocked(h, port, peer, to.Port())
	h.counters.dials.Add(1)
	if answer == hangsUp {
		far.closeLocked(closed)
		return near, dialWait{}, nil
	}
	l.backlog = append(l.backlog, far)
	l.ready.Signal()
	return near, dialWait{}, nil
}
