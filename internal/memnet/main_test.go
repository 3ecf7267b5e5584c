package memnet

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain fails if goroutines outlive the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	if stacks := leaked(); stacks != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines outlive the tests:\n%s\n", stacks)
		code = 1
	}
	os.Exit(code)
}

// leaked returns the stacks of goroutines in this package's code, once those
// that are about to end had time to.
func leaked() string {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var left []byte
	for range 200 {
		buf := make([]byte, 1<<20)
		buf = buf[:runtime.Stack(buf, true)]
		left = nil
		for i, g := range bytes.Split(buf, []byte("\n\n")) {
			if i > 0 && bytes.Contains(g, []byte("internal/memnet.")) {
				left = append(append(left, g...), "\n\n"...)
			}
		}
		if left == nil {
			return ""
		}
		<-tick.C
	}
	return string(left)
}

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
