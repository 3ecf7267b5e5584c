package httppool

import (
	"errors"
	"io"
	"net"
	"testing"
)

func TestStream(t *testing.T) {
	for _, secret := range []string{"", "secret"} {
		t.Run("secret="+secret, func(t *testing.T) {
			type stream struct {
				conn net.Conn
				from string
			}
			streams := make(chan stream, 1)
			_, addr := serverPool(t, Config{
				Secret:   []byte(secret),
				OnStream: func(c net.Conn, from string) { streams <- stream{c, from} },
			})
			client := newPool(t, Config{Self: "me\x00", Secret: []byte(secret)})
			conn, err := client.DialStream(within(t), addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "over there"); err != nil {
				t.Fatal(err)
			}
			s := <-streams
			defer s.conn.Close()
			if s.from != "me\x00" {
				t.Errorf("the stream is from %q, want the client's id", s.from)
			}
			client.Close() // does not touch the stream
			got := make([]byte, 10)
			if _, err := io.ReadFull(s.conn, got); err != nil || string(got) != "over there" {
				t.Errorf("got %q, %v", got, err)
			}
			go func() { io.WriteString(s.conn, "and back"); s.conn.Close() }()
			if back, err := io.ReadAll(conn); err != nil || string(back) != "and back" {
				t.Errorf("got %q, %v", back, err)
			}
			if _, err := client.DialStream(within(t), addr); !errors.Is(err, ErrClosed) {
				t.Errorf("after Close: got %v, want ErrClosed", err)
			}
		})
	}
}

// TestStreamKeepsWhatWasReadTooFar sends bytes together with the end of the handshake.
func TestStreamKeepsWhatWasReadTooFar(t *testing.T) {
	streams := make(chan net.Conn, 1)
	_, addr := serverPool(t, Config{OnStream: func(c net.Conn, _ string) { streams <- c }})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, upgradeRequest(false, pathPeer, pathStream)+"early, ")
	s := <-streams
	defer s.Close()
	io.WriteString(conn, "late")
	conn.(*net.TCPConn).CloseWrite()
	defer conn.Close()
	if got, err := io.ReadAll(s); string(got) != "early, late" || err != nil {
		t.Errorf("got %q, %v, want every byte", got, err)
	}
}

func TestStreamNobodyWants(t *testing.T) {
	_, addr := serverPool(t, Config{Handler: echoFast})
	if _, err := newPool(t, Config{}).DialStream(within(t), addr); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want ErrRefused", err)
	}
}
