package membership

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxStreams    = 128             // open at once in each direction; memberlist itself sets no bound
	streamBacklog = 16              // accepted and not yet taken by memberlist
	streamTake    = 1 * time.Second // to take one; then it is closed
)

// dialFunc opens a gossip stream. See Config.DialStream.
type dialFunc func(ctx context.Context, addr string) (net.Conn, error)

// streams keeps the books of open gossip streams, so that they are bounded and that closing the transport ends them all.
type streams struct {
	ctx      context.Context // the transport's
	open     dialFunc
	host     func(netip.AddrPort) string // the host name by which an address was found, or ""
	accepted chan net.Conn

	mu     sync.Mutex // guards the fields below
	conns  map[*stream]struct{}
	failed map[string]error // the last failed dial, of the addresses that an exchange asks about
	taken  uint64           // streams ever entered

	in, out, bytesIn, bytesOut atomic.Uint64
}

func newStreams(ctx context.Context, open dialFunc, host func(netip.AddrPort) string) *streams {
	return &streams{ctx: ctx, open: open, host: host,
		accepted: make(chan net.Conn, streamBacklog), conns: make(map[*stream]struct{}), failed: make(map[string]error)}
}

// watch has the error of a failed dial to addr kept until unwatch returns it: memberlist passes on its text alone.
func (s *streams) watch(addr string) {
	s.mu.Lock()
	s.failed[addr] = nil
	s.mu.Unlock()
}

func (s *streams) unwatch(addr string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.failed[addr]
	delete(s.failed, addr)
	return err
}

// stream is a connection that counts its bytes and leaves the books when closed.
type stream struct {
	net.Conn
	books    *streams
	accepted bool
	number   uint64 // in the order of entering
}

func (c *stream) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.books.bytesIn.Add(uint64(n))
	return n, err
}

func (c *stream) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.books.bytesOut.Add(uint64(n))
	return n, err
}

func (c *stream) Close() error {
	c.books.mu.Lock()
	delete(c.books.conns, c)
	c.books.mu.Unlock()
	return c.Conn.Close()
}

// enter books a connection, or closes it and returns nil, if the transport is closed or this member has too many under way.
// When peers have opened too many, the oldest of theirs makes room: an exchange of state is quick, and those that are not
// may be strangers that keep members out.
func (s *streams) enter(conn net.Conn, accepted bool) *stream {
	s.mu.Lock()
	var oldest *stream
	n := 0
	for o := range s.conns {
		if o.accepted != accepted {
			continue
		}
		if n++; oldest == nil || o.number < oldest.number {
			oldest = o
		}
	}
	if s.ctx.Err() != nil || n >= maxStreams && !accepted {
		s.mu.Unlock()
		_ = conn.Close()
		return nil
	}
	s.taken++
	c := &stream{Conn: conn, books: s, accepted: accepted, number: s.taken}
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	if n >= maxStreams {
		_ = oldest.Close()
	}
	return c
}

// dial opens a stream to an ip:port.
func (s *streams) dial(addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	if ap, err := netip.ParseAddrPort(addr); err == nil {
		if host := s.host(ap); host != "" {
			ctx = context.WithValue(ctx, hostKey{}, host)
		}
	}
	conn, err := s.open(ctx, addr)
	if err != nil {
		s.mu.Lock()
		if _, watched := s.failed[addr]; watched {
			s.failed[addr] = err
		}
		s.mu.Unlock()
		return nil, err
	}
	if c := s.enter(conn, false); c != nil {
		s.out.Add(1)
		return c, nil
	}
	return nil, net.ErrClosed
}

// serve passes an accepted stream on, and closes it if memberlist does not take it in time.
func (s *streams) serve(conn net.Conn) {
	c := s.enter(conn, true)
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, streamTake)
	defer cancel()
	select {
	case s.accepted <- c:
		s.in.Add(1)
	case <-ctx.Done():
		_ = c.Close()
	}
}

// closeAll ends every stream, those that nobody took included. The context is done, so none comes after.
func (s *streams) closeAll() {
	s.mu.Lock()
	conns := s.conns
	s.conns = make(map[*stream]struct{})
	s.mu.Unlock()
	for c := range conns {
		_ = c.Conn.Close()
	}
}

type hostKey struct{}

// Host returns the host name by which the address given to Config.DialStream was found, as a seed or in a member's own
// address, or "" if it was never anything but an IP address. TLS verifies a peer's certificate against it.
func Host(ctx context.Context) string {
	host, _ := ctx.Value(hostKey{}).(string)
	return host
}
