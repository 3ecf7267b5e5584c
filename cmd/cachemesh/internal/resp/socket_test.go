//go:build unix

package resp

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair returns both ends of a connection over a socket.
func pair(t *testing.T, network string) (client, server net.Conn) {
	t.Helper()
	at := "127.0.0.1:0"
	if network == "unix" {
		at = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, at)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// What came together is read together, whatever came before it; who waits holds no buffer.
func TestSocketsAreReadWhole(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		client, server := pair(t, network)
		budget := NewBudget(1 << 20)
		r := NewReader(server, wide, budget)
		batch := strings.Repeat(array("GET", "key:000000000001"), 40)
		for i := range 3 {
			if _, err := io.WriteString(client, batch); err != nil {
				t.Fatal(err)
			}
			if err := r.Fill(); err != nil {
				t.Fatal(err)
			}
			got := 0
			for _, ok, _ := r.Next(); ok; _, ok, _ = r.Next() {
				got++
			}
			if got != 40 {
				t.Errorf("%s: read %d: %d of 40 commands", network, i, got)
			}
		}
		server.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if err := r.Fill(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: a wait that is over: %v", network, err)
		}
		if left := budget.Left(); left != 1<<20 {
			t.Errorf("%s: who waits holds %d bytes", network, 1<<20-left)
		}
		server.SetReadDeadline(time.Time{})
		io.WriteString(client, "*1\r\n$4\r\nPI")
		if err := r.Fill(); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := r.Next(); ok || err != nil {
			t.Errorf("%s: half a command: %v, %v", network, ok, err)
		}
		io.WriteString(client, "NG\r\n")
		if err := r.Fill(); err != nil {
			t.Fatal(err)
		}
		if left := budget.Left(); left != 1<<20 {
			t.Errorf("%s: half a command holds %d bytes", network, 1<<20-left)
		}
		if args, ok, err := r.Next(); !ok || err != nil || string(args[0]) != "PING" {
			t.Errorf("%s: the other half: %q, %v, %v", network, args, ok, err)
		}
		client.Close()
		if err := r.Fill(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: the end: %v", network, err)
		}
		r.Close()
		if left := budget.Left(); left != 1<<20 {
			t.Errorf("%s: %d bytes were not given back", network, 1<<20-left)
		}
	}
}
