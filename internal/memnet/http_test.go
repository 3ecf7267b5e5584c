package memnet

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestHTTP runs net/http over the network: keep-alive, deadlines, hijacking its
// background reads and closing.
func TestHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		n.SetLatency(time.Millisecond, 5*time.Millisecond)
		l, err := n.Host("server").Listen(t.Context(), ":80")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		srv := &http.Server{
			ReadTimeout: time.Second,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/upgrade" {
					wg.Add(1) // the server does not wait for what was hijacked
					defer wg.Done()
					upgrade(t, w)
					return
				}
				io.Copy(w, r.Body)
			}),
		}
		wg.Go(func() { srv.Serve(l) })
		tr := &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			return n.Host("client").Dial(ctx, addr)
		}}
		client := &http.Client{Transport: tr}
		for _, size := range []int{0, 10, 2 * bufferMax, 10} {
			body := strings.Repeat("x", size)
			resp, err := client.Post("http://server:80/echo", "text/plain", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(got) != body || err != nil {
				t.Errorf("echo of %d bytes gave %d, %v", size, len(got), err)
			}
		}
		testUpgrade(t, n)
		tr.CloseIdleConnections()
		srv.Close()
		wg.Wait()
	})
}

func upgrade(t *testing.T, w http.ResponseWriter) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	conn.SetDeadline(time.Time{})
	rw.WriteString("HTTP/1.1 101 Switching Protocols\r\n\r\n")
	rw.Flush()
	io.Copy(conn, rw)
	conn.Close()
}

func testUpgrade(t *testing.T, n *Network) {
	t.Helper()
	c, err := n.Host("client").Dial(t.Context(), "server:80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /upgrade HTTP/1.1\r\nHost: server\r\n\r\n")
	const greeting = "HTTP/1.1 101 Switching Protocols\r\n\r\n"
	want := greeting + "and back"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got[:len(greeting)]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour) // no deadline of the server's is left
	io.WriteString(c, "and back")
	if _, err := io.ReadFull(c, got[len(greeting):]); err != nil || string(got) != want {
		t.Errorf("over the upgraded connection came %q, %v", got, err)
	}
}
