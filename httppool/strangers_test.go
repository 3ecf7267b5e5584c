package httppool

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// from is a connection of a host; closed when its closing was asked for.
type from struct {
	net.Conn
	host   string
	closed atomic.Bool
}

func (f *from) RemoteAddr() net.Addr { a, _ := net.ResolveTCPAddr("tcp", f.host); return a }

// open returns how many connections are in the books.
func (b *strangers) open() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

func TestStrangersMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := strangers{time: time.Minute, evicted: func(c net.Conn) { c.(*from).closed.Store(true) }}
		enter := func(host string) (*from, *stranger) {
			c := &from{host: host}
			return c, b.enter(c)
		}
		few, fewPlace := enter("10.0.0.1:1")
		var many []*from
		for i := range maxStrangers {
			// One host has many addresses of IPv6.
			c, _ := enter(fmt.Sprintf("[2001:db8::%x]:1", i))
			many = append(many, c)
		}
		if few.closed.Load() || !many[0].closed.Load() || many[1].closed.Load() || b.open() != maxStrangers {
			t.Fatalf("want the oldest of the host with the most closed, and no other, of %d", b.open())
		}
		if !fewPlace.leave() || b.open() != maxStrangers-1 {
			t.Error("a proved connection is still in the books")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if few.closed.Load() {
			t.Error("a proved connection was closed")
		}
		for i, c := range many {
			if !c.closed.Load() {
				t.Fatalf("connection %d outlived its time", i)
			}
		}
		if b.open() != 0 || len(b.hosts) != 0 {
			t.Errorf("the books still have %d connections of %d hosts", b.open(), len(b.hosts))
		}
	})
}

// TestOldestHostMakesRoom: hosts with one connection each.
func TestOldestHostMakesRoom(t *testing.T) {
	var closed []string
	b := strangers{time: time.Minute, evicted: func(c net.Conn) { closed = append(closed, c.(*from).host) }}
	for i := range maxStrangers + 2 {
		s := b.enter(&from{host: fmt.Sprintf("10.0.%d.%d:1", i/200, i%200)})
		s.since = time.Unix(int64(i), 0)
		defer s.leave()
	}
	if len(closed) != 2 || closed[0] != "10.0.0.0:1" || closed[1] != "10.0.0.1:1" {
		t.Errorf("closed %v, want the two oldest", closed)
	}
}

// TestServerOfTheUsersOwn: there the pool answers without the rest of a request, and
// gives each connection little time once it was asked to upgrade it.
func TestServerOfTheUsersOwn(t *testing.T) {
	for _, secret := range []string{"", "secret"} {
		t.Run("secret="+secret, func(t *testing.T) {
			server, addr := serverPool(t, Config{Handler: echoFast, Secret: []byte(secret), DialTimeout: 200 * time.Millisecond,
				OnStream: func(net.Conn, string) { t.Error("a silent stream was handed over") }})
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			io.WriteString(conn, "POST "+pathPeer+" HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n")
			br := bufio.NewReader(conn)
			if resp, err := http.ReadResponse(br, nil); err != nil || resp.StatusCode != 405 || !resp.Close {
				t.Fatalf("got %v, %v, want 405 and the connection closed", resp, err)
			}
			if _, err := io.Copy(io.Discard, br); err != nil {
				t.Errorf("after the refusal: %v", err)
			}
			for _, path := range []string{pathPeer, pathStream} {
				silent, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				defer silent.Close()
				silent.SetDeadline(time.Now().Add(20 * time.Second))
				io.WriteString(silent, upgradeRequest(secret != "", pathPeer, path))
				if rest, err := io.ReadAll(silent); err != nil {
					t.Errorf("a silent upgrade of %s: got %q, %v, want it closed", path, rest, err)
				}
			}
			if got := server.Stats().Refused[refusedHandshake]; got != 2 {
				t.Errorf("%d unfinished handshakes counted, want 2", got)
			}
		})
	}
}

// TestGarbageIsNoPeer: without a secret it is the first frame that shows a peer.
func TestGarbageIsNoPeer(t *testing.T) {
	server, addr := serverPool(t, Config{Handler: echoFast, MaxConns: 1})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, upgradeRequest(false)+"\x00\x00\x00\xffgarbage")
	if rest, err := io.ReadAll(conn); err != nil || len(rest) == 0 {
		t.Errorf("got %q, %v, want a 101 and the connection closed", rest, err)
	}
	if s := server.Stats(); s.BadFrames[badType] != 1 || s.ConnsIn != 0 {
		t.Errorf("got %v and %d connections, want one bad frame", s.BadFrames, s.ConnsIn)
	}
	checkEcho(t, newPool(t, Config{}).Peer(addr), "", Request{Key: "k"})
}

// TestUnusedConnectionStays: a connection that was dialled and then got no call is a
// peer's all the same.
func TestUnusedConnectionStays(t *testing.T) {
	for _, secret := range []string{"", "secret"} {
		server, addr := serverPool(t, Config{Handler: echoFast, Secret: []byte(secret), DialTimeout: 100 * time.Millisecond})
		client := newPool(t, Config{Secret: []byte(secret)})
		d, err := client.Peer(addr).join(0)
		if err != nil {
			t.Fatal(err)
		}
		<-d.done
		eventually(t, "the server has the connection for a peer's", func() bool { return server.Stats().ConnsIn == 1 })
		checkEcho(t, client.Peer(addr), "", Request{Key: "k"})
		if s := server.Stats(); len(s.Refused) != 0 {
			t.Errorf("refused: %v", s.Refused)
		}
	}
}
