package meshtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"sync"
)

// news keeps from some members what gossip says of others, while all else works:
// those that gossip with them see them alive and well, and peers call them. What
// is kept back is lost, as gossip may be.
type news struct {
	mu   sync.Mutex // guards held
	held map[string]bool
}

func (g *news) set(ip string, held bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held[ip] = held
}

func (g *news) holds(ip string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held[ip]
}

// HoldNews keeps member i from learning of changes, until ReleaseNews.
func (m *Mesh) HoldNews(i int) { m.news.set(m.Net.Host(HostName(i)).IP().String(), true) }

// ReleaseNews ends HoldNews.
func (m *Mesh) ReleaseNews(i int) { m.news.set(m.Net.Host(HostName(i)).IP().String(), false) }

// ListenPacket binds a socket that drops news.
func (n network) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	c, err := n.Host.ListenPacket(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &newsFilter{c, n.news, n.IP().String()}, nil
}

type newsFilter struct {
	net.PacketConn
	news *news
	ip   string
}

// ReadFrom reads a packet without the news in it.
func (f *newsFilter) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := f.PacketConn.ReadFrom(b)
		if err != nil || !f.news.holds(f.ip) {
			return n, from, err
		}
		if n = copy(b, withoutNews(b[:n])); n > 0 {
			return n, from, nil
		}
	}
}

// Message types of memberlist, from its net.go.
const (
	suspectMsg  = 3
	aliveMsg    = 4
	deadMsg     = 5
	compoundMsg = 7
	hasCrcMsg   = 12
)

// withoutNews returns a packet of memberlist without what it says about members,
// empty if nothing is left.
func withoutNews(b []byte) []byte {
	if len(b) > 5 && b[0] == hasCrcMsg {
		b = b[5:] // a packet without a checksum is read too
	}
	if len(b) == 0 || b[0] == suspectMsg || b[0] == aliveMsg || b[0] == deadMsg {
		return nil
	}
	if b[0] != compoundMsg || len(b) < 2 || len(b) < 2+2*int(b[1]) {
		return b
	}
	lengths, rest := b[2:2+2*int(b[1])], b[2+2*int(b[1]):]
	var kept [][]byte
	for ; len(lengths) > 0; lengths = lengths[2:] {
		n := int(binary.BigEndian.Uint16(lengths))
		if n > len(rest) {
			break
		}
		if part := withoutNews(rest[:n]); len(part) > 0 {
			kept = append(kept, part)
		}
		rest = rest[n:]
	}
	if len(kept) == 0 {
		return nil
	}
	out := []byte{compoundMsg, byte(len(kept))}
	for _, part := range kept {
		out = binary.BigEndian.AppendUint16(out, uint16(len(part)))
	}
	return append(out, bytes.Join(kept, nil)...)
}

// Dial opens a stream, on which no gossip passes to or from a host that it is
// kept from.
func (n network) Dial(ctx context.Context, addr string) (net.Conn, error) {
	c, err := n.Host.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &gossipGate{Conn: c, news: n.news, ends: [2]string{n.IP().String(), c.RemoteAddr().(*net.TCPAddr).IP.String()}}, nil
}

// A gossipGate looks at the first bytes that its dialler sends, which say whether
// the stream is for gossip.
type gossipGate struct {
	net.Conn
	news *news
	ends [2]string
	once sync.Once
}

var gossipRequest = []byte("GET /_cachemesh/gossip")

func (g *gossipGate) Write(b []byte) (n int, err error) {
	g.once.Do(func() {
		if bytes.HasPrefix(b, gossipRequest) && (g.news.holds(g.ends[0]) || g.news.holds(g.ends[1])) {
			err = net.ErrClosed
		}
	})
	if err != nil {
		return 0, err
	}
	return g.Conn.Write(b)
}
