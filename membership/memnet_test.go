package membership

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// memnet is a network in memory, for use in synctest bubbles: nothing in it blocks but a reader without a packet and a
// dial into a partition, and it drops by a seeded generator.
type memnet struct {
	mu      sync.Mutex // guards the fields below
	members map[netip.AddrPort]*memsock
	side    map[netip.AddrPort]int // members of different sides do not reach each other
	blocked map[[2]netip.AddrPort]bool
	latency time.Duration // of packets
	loss    float64       // of packets
	rng     *rand.Rand
}

type memsock struct {
	net    *memnet
	addr   netip.AddrPort
	inbox  chan mempacket
	closed chan struct{}
	once   sync.Once
	serve  atomic.Pointer[func(net.Conn)] // set once the member runs
}

type mempacket struct {
	from netip.AddrPort
	data []byte
}

func newMemnet(t *testing.T) *memnet {
	const seed = 1
	t.Logf("network seed %d", seed)
	return &memnet{
		members: make(map[netip.AddrPort]*memsock),
		side:    make(map[netip.AddrPort]int),
		blocked: make(map[[2]netip.AddrPort]bool),
		rng:     rand.New(rand.NewPCG(seed, seed)),
	}
}

// listen binds an address; what was bound there before is gone.
func (n *memnet) listen(addr netip.AddrPort) *memsock {
	s := &memsock{net: n, addr: addr, inbox: make(chan mempacket, 256), closed: make(chan struct{})}
	n.mu.Lock()
	n.members[addr] = s
	n.mu.Unlock()
	return s
}

// partition puts addresses on a side of their own; side 0 heals them.
func (n *memnet) partition(side int, addrs ...netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range addrs {
		n.side[a] = side
	}
}

// block cuts one pair of addresses, both ways.
func (n *memnet) block(a, b netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.blocked[[2]netip.AddrPort{a, b}] = true
	n.blocked[[2]netip.AddrPort{b, a}] = true
}

// alias makes alias another address of the member at addr.
func (n *memnet) alias(alias, addr netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.members[alias] = n.members[addr]
}

func (n *memnet) setLink(latency time.Duration, loss float64) {
	n.mu.Lock()
	n.latency, n.loss = latency, loss
	n.mu.Unlock()
}

// route returns the member at to, whether packets get there, and after what time.
func (n *memnet) route(from, to netip.AddrPort) (s *memsock, reachable bool, latency time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.members[to], n.side[from] == n.side[to] && !n.blocked[[2]netip.AddrPort{from, to}], n.latency
}

func (n *memnet) drops() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.loss > 0 && n.rng.Float64() < n.loss
}

// dialer returns a DialStream for the member at from.
func (n *memnet) dialer(from netip.AddrPort) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		to, err := netip.ParseAddrPort(addr)
		if err != nil {
			return nil, err
		}
		s, reachable, _ := n.route(from, to)
		if !reachable {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if s == nil || s.isClosed() || s.serve.Load() == nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		}
		near, far := net.Pipe()
		go (*s.serve.Load())(far)
		return near, nil
	}
}

func (s *memsock) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

func (s *memsock) WriteTo(p []byte, to net.Addr) (int, error) {
	if s.isClosed() {
		return 0, net.ErrClosed
	}
	dst, ok := addrPortOf(to)
	if !ok {
		return 0, errors.New("not a UDP address")
	}
	peer, reachable, latency := s.net.route(s.addr, dst)
	if peer == nil || !reachable || s.net.drops() {
		return len(p), nil
	}
	pkt := mempacket{from: s.addr, data: append([]byte(nil), p...)}
	if latency == 0 {
		peer.deliver(pkt)
	} else {
		time.AfterFunc(latency, func() { peer.deliver(pkt) })
	}
	return len(p), nil
}

func (s *memsock) deliver(p mempacket) {
	select {
	case s.inbox <- p:
	default: // as a kernel does with a full buffer
	}
}

func (s *memsock) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case pkt := <-s.inbox:
		return copy(p, pkt.data), net.UDPAddrFromAddrPort(pkt.from), nil
	case <-s.closed:
		return 0, nil, net.ErrClosed
	}
}

func (s *memsock) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *memsock) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(s.addr) }
func (s *memsock) SetDeadline(time.Time) error      { return nil }
func (s *memsock) SetReadDeadline(time.Time) error  { return nil }
func (s *memsock) SetWriteDeadline(time.Time) error { return nil }
