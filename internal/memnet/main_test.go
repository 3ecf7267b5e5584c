package memnet

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/meshtest/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// pair returns both ends of a stream between two hosts, a and b.
func pair(t testing.TB, n *Network) (near, far *Conn) {
	t.Helper()
	return pairOf(t, n.Host("a"), n.Host("b"))
}

func pairOf(t testing.TB, from, to *Host) (near, far *Conn) {
	t.Helper()
	l, err := to.Listen(t.Context(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := from.Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*Conn), s.(*Conn)
}

// sockets returns sockets on two hosts, a and b.
func sockets(t testing.TB, n *Network) (a, b *packetConn) {
	t.Helper()
	pa, err := n.Host("a").ListenPacket(t.Context(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	pb, err := n.Host("b").ListenPacket(t.Context(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	return pa.(*packetConn), pb.(*packetConn)
}
