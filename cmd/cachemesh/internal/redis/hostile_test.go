package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/guesses"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/redis"
)

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestWhatIsNoCommandEndsTheConnection(t *testing.T) {
	addr := serve(t, 1, nil)[0]
	for _, c := range [][2]string{
		{"*1000000000\r\n", "ERR Protocol error: invalid multibulk length"},
		{"*1\r\n$1000000000\r\n", "ERR Protocol error: invalid bulk length"},
		{"*1\r\n:1\r\n", "ERR Protocol error: expected '$', got ':'"},
		{"get \"a\r\n", "ERR Protocol error: unbalanced quotes in request"},
		{"POST / HTTP/1.1\r\nHost: x\r\n\r\nset k v\r\n", "gone: EOF"},
	} {
		p := dial(t, addr)
		p.send(c[0])
		if got := p.answer(); got != c[1] && !(c[1] == "gone: EOF" && strings.HasPrefix(got, "gone")) {
			t.Errorf("%q: %s, want %s", c[0], got, c[1])
		}
		if got := p.answer(); !strings.HasPrefix(got, "gone") {
			t.Errorf("%q: %s, want the end", c[0], got)
		}
	}
	if got := dial(t, addr).do("get k"); got != "(nil)" {
		t.Errorf("a line of an HTTP request was a command: %s", got)
	}
	strangers := serve(t, 1, func(o *redis.Options) { o.Password = "x" })[0]
	p := dial(t, strangers)
	p.send("*11\r\n")
	if got := p.answer(); !strings.HasPrefix(got, "ERR Protocol error: unauthenticated") {
		t.Error(got)
	}
}

// Strangers who make the same mistake again and again do not fill the log.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	var lines atomic.Int64
	addr := serve(t, 1, func(o *redis.Options) { o.Log = slog.New(slog.NewTextHandler(writes{&lines}, nil)) })[0]
	began := time.Now()
	for range 50 {
		p := dial(t, addr)
		p.send("POST / HTTP/1.1\r\n")
		p.answer() // its end
	}
	if n, most := lines.Load(), 1+int64(time.Since(began)/time.Second); n < 1 || n > most {
		t.Errorf("%d lines, want 1 to %d", n, most)
	}
}

// writes counts what is written, a line at a time.
type writes struct{ lines *atomic.Int64 }

func (w writes) Write(b []byte) (int, error) {
	w.lines.Add(1)
	return len(b), nil
}

// What clients gather in a MULTI, and the prefixes that they track, take what they may: arguments without a byte take
// memory, too.
func TestGatheredCommandsTakeBoundedMemory(t *testing.T) {
	addr := serve(t, 1, func(o *redis.Options) { o.MaxBuffered = 8 << 20 })[0]
	const args = 5000
	empty := fmt.Sprintf("*%d\r\n$4\r\nmget\r\n%s", args+1, strings.Repeat("$0\r\n\r\n", args))
	gathered := 0
	for range 20 {
		p := dial(t, addr)
		if got := p.do("multi"); got != "OK" {
			t.Fatal(got)
		}
		for i := range 4 {
			p.send(empty)
			got := p.answer()
			if got == "QUEUED" {
				gathered++
				continue
			}
			if got != "ERR there is too much in this MULTI" && !strings.Contains(got, "take all the memory they may") {
				t.Fatal(got)
			}
			gathered -= i // which are forgotten
			break
		}
	}
	if most := 8 << 20 / (24 * args); gathered == 0 || gathered > most {
		t.Errorf("%d commands of %d arguments are kept, want some, and at most %d", gathered, args, most)
	}
	p := dial(t, serve(t, 1, nil)[0])
	p.do("hello 3")
	if got := p.do("client tracking on bcast prefix " + strings.Repeat("x", 5000)); !strings.HasPrefix(got, "ERR no key begins") {
		t.Errorf("a prefix that no key has: %s", got)
	}
}

// A client that sends more than it may hears why, though it is still sending: with what it sent unread, its machine
// would throw the answer away.
func TestWhoSendsTooMuchHearsWhy(t *testing.T) {
	const most = 1 << 20
	addr := serve(t, 1, func(o *redis.Options) { o.MaxValue = most })[0]
	for range 5 {
		p := dial(t, addr)
		value := strings.Repeat("x", 8*most)
		p.send(fmt.Sprintf("*3\r\n$3\r\nset\r\n$1\r\nk\r\n$%d\r\n%s\r\n", len(value), value))
		if got, want := p.answer(), "ERR Protocol error: invalid bulk length"; got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}

// Clients that begin large commands, and never end them, take what they may together; one
// that is well-behaved is served all the while.
func TestHalfCommandsTakeBoundedMemory(t *testing.T) {
	const budget = 4 << 20
	addr := serve(t, 1, func(o *redis.Options) { o.MaxBuffered, o.MaxValue = budget, 16<<20 })[0]
	part := bytes.Repeat([]byte("x"), 600<<10) // of all of them: it is not the server's
	before := heap()
	for range 40 {
		p := dial(t, addr)
		go func() {
			io.WriteString(p.nc, "*3\r\n$3\r\nset\r\n$1\r\nk\r\n$16000000\r\n")
			p.nc.Write(part) // fails once the server has had enough
		}()
	}
	good := dial(t, addr)
	for i := range 200 {
		if got := good.do(fmt.Sprintf("set k%d v", i)); got != "OK" {
			t.Fatal(got)
		}
	}
	if took := heap() - before; took > budget+8<<20 {
		t.Errorf("40 half commands take %d bytes, want at most %d and the cache", took, budget)
	}
}

// A client that asks for much and reads nothing is cut off, and takes a buffer until then.
func TestSlowReaders(t *testing.T) {
	addr := serve(t, 1, func(o *redis.Options) { o.WriteTimeout = 300 * time.Millisecond })[0]
	good := dial(t, addr)
	good.send(fmt.Sprintf("*3\r\n$3\r\nset\r\n$1\r\nk\r\n$%d\r\n%s\r\n", 1<<20, strings.Repeat("x", 1<<20)))
	if got := good.answer(); got != "OK" {
		t.Fatal(got)
	}
	before := heap()
	var slow []*plain
	for range 20 {
		p := dial(t, addr)
		p.nc.(*net.TCPConn).SetReadBuffer(4 << 10)
		go io.WriteString(p.nc, strings.Repeat("get k\r\n", 1000))
		slow = append(slow, p)
	}
	for i := 0; ; i++ {
		info := good.do("info clients")
		if strings.Contains(info, "connected_clients:1\\r") {
			break
		}
		if took := heap() - before; took > 30<<20 {
			t.Fatalf("20 clients that read nothing take %d bytes", took)
		}
	}
	for _, p := range slow {
		if n, _ := io.Copy(io.Discard, p.r); n >= 1000<<20 {
			t.Error("a client that read nothing got all of it")
		}
	}
}

// Passwords are guessed slowly, whatever they are, and who has said the right one goes on.
func TestPasswordsAreGuessedSlowly(t *testing.T) {
	addr := serve(t, 1, func(o *redis.Options) { o.Password = "sesame" })[0]
	good := dial(t, addr)
	if got := good.do("auth sesame"); got != "OK" {
		t.Fatal(got)
	}
	looked, began := 0, time.Now()
	for range 50 {
		p := dial(t, addr)
		p.send(strings.Repeat("auth wrong\r\n", 3*guesses.AtOnce))
		for {
			got := p.answer()
			if got == "WRONGPASS invalid username-password pair or user is disabled." {
				looked++
				continue
			}
			if !strings.HasPrefix(got, "ERR too many wrong passwords") {
				t.Fatal(got)
			}
			break
		}
		if got := p.answer(); !strings.HasPrefix(got, "gone") {
			t.Errorf("after too many: %s, want the end", got)
		}
	}
	if most := guesses.AtOnce + int(guesses.PerSecond*(time.Since(began).Seconds()+1)); looked > most || looked < guesses.AtOnce {
		t.Errorf("%d passwords were looked at, want %d to %d", looked, guesses.AtOnce, most)
	}
	if got := good.do("get k"); got != "(nil)" {
		t.Error(got)
	}
}

func TestTooManyClients(t *testing.T) {
	addr := serve(t, 1, func(o *redis.Options) { o.MaxClients = 2 })[0]
	first, second := dial(t, addr), dial(t, addr)
	if got := first.do("ping") + second.do("ping"); got != "PONGPONG" {
		t.Fatal(got)
	}
	if got := dial(t, addr).answer(); got != "ERR max number of clients reached" {
		t.Error(got)
	}
	if got := first.do("quit"); got != "OK" {
		t.Error(got)
	}
	for dial(t, addr).do("ping") != "PONG" { // the first one's goroutine is about to end
	}
}

func TestIdleClientsAreClosed(t *testing.T) {
	addr := serve(t, 1, func(o *redis.Options) { o.IdleTimeout = 50 * time.Millisecond })[0]
	p := dial(t, addr)
	if got := p.do("ping"); got != "PONG" {
		t.Fatal(got)
	}
	if got := p.answer(); !strings.HasPrefix(got, "gone") {
		t.Error(got)
	}
}

// A timeout that CONFIG SET lifts ends no connection any more: neither one that waits, nor one that is used.
func TestIdleTimeoutIsLifted(t *testing.T) {
	const timeout = 500 * time.Millisecond
	addr := serve(t, 1, func(o *redis.Options) { o.IdleTimeout = timeout })[0]
	waits, used := dial(t, addr), dial(t, addr)
	for _, p := range []*plain{waits, used} {
		if got := p.do("ping"); got != "PONG" {
			t.Fatal(got)
		}
	}
	if got := used.do("config set timeout 0"); got != "OK" {
		t.Fatal(got)
	}
	over := time.Now().Add(timeout + 100*time.Millisecond)
	for _, p := range []*plain{used, waits} {
		p.nc.SetReadDeadline(over)
		if got := p.answer(); !strings.Contains(got, "timeout") {
			t.Errorf("a connection whose timeout was lifted: %s", got)
		}
		p.nc.SetReadDeadline(time.Now().Add(time.Minute))
		if got := p.do("ping"); got != "PONG" {
			t.Error(got)
		}
	}
}

// Shutdown answers the commands that came, and ends connections that wait.
func TestShutdown(t *testing.T) {
	c := cachemeshtest.New(t, 1)
	group := cachemeshtest.Group[[]byte](c, "default", nil, cachemesh.GroupOptions[[]byte]{})
	s := redis.NewServer(redis.Options{Node: c.Node(0), Group: group(0), MaxClients: 10, MaxValue: 1 << 20, MaxBuffered: 1 << 20, Log: slog.New(slog.DiscardHandler)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	idle := dial(t, l.Addr().String())
	if got := idle.do("set k v"); got != "OK" {
		t.Fatal(got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	must(t, s.Shutdown(ctx))
	must(t, <-served)
	if got := idle.answer(); got != "gone: EOF" {
		t.Error(got)
	}
	must(t, s.Shutdown(ctx))
}
