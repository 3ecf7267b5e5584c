package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	hostileBuffers = 64 << 20 // redis-max-buffered
	hostileIdle    = 10000    // connections that say nothing
)

// Whatever clients do, others are answered, and the member takes no more memory than it is given. What each
// attack costs is logged: go test -v -run Hostile ./cmd/cachemesh
func TestHostileClients(t *testing.T) {
	idle := hostileIdle
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil && files.Cur < hostileIdle+500 {
		idle = int(files.Cur) - 500
	}
	t.Setenv("CACHEMESH_REDIS_PASSWORD", "sesame")
	p := start(t, append(anywhere, "--redis-max-clients", fmt.Sprint(idle+500), "--redis-max-buffered", "64MiB", "--redis-write-timeout", "2s")...)
	good := logIn(t, p.redis)
	good.set(t, "large", strings.Repeat("x", 1<<20))
	good.measure(t, 300*time.Millisecond)
	alone, memory := good.measure(t, 500*time.Millisecond), p.resident(t)
	t.Logf("%-28s %v, %4d MiB", "nobody else", alone, memory>>20)
	for _, attack := range []struct {
		name string
		at   func(stop *atomic.Bool)
		most int64 // bytes more
	}{
		{"arrays of 10^9 elements", func(stop *atomic.Bool) { announce(p.redis, stop) }, 24 << 20},
		{"half commands", func(stop *atomic.Bool) { half(p.redis, stop) }, 3 * hostileBuffers},
		{fmt.Sprint(idle, " idle connections"), func(stop *atomic.Bool) { sayNothing(t, p.redis, idle, stop) }, int64(idle) * 20 << 10},
		{"wrong passwords", func(stop *atomic.Bool) { guess(p.redis, stop) }, 24 << 20},
		{"slow readers", func(stop *atomic.Bool) { readNothing(p.redis, stop) }, 3 * hostileBuffers},
	} {
		var stop atomic.Bool
		var attackers sync.WaitGroup
		before := p.resident(t)
		attackers.Go(func() { attack.at(&stop) })
		time.Sleep(500 * time.Millisecond) // until it is under way
		with, now := good.measure(t, time.Second), p.resident(t)
		stop.Store(true)
		attackers.Wait()
		t.Logf("%-28s %v, %4d MiB", attack.name, with, now>>20)
		if now > before+attack.most {
			t.Errorf("%s: %d MiB more, want at most %d", attack.name, (now-before)>>20, attack.most>>20)
		}
		if with.p99 > 2*time.Second {
			t.Errorf("%s: others wait %v", attack.name, with)
		}
	}
	if code, said := p.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d:\n%s", code, said)
	}
}

// A polite client sets and gets, one after the other.
type polite struct {
	nc net.Conn
	r  *bufio.Reader
}

func logIn(t *testing.T, addr string) polite {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	c := polite{nc, bufio.NewReader(nc)}
	c.do(t, "AUTH sesame\r\n", "+OK\r\n")
	return c
}

func (c polite) do(t *testing.T, command, want string) {
	t.Helper()
	c.nc.SetDeadline(time.Now().Add(30 * time.Second))
	_, err := io.WriteString(c.nc, command)
	got := make([]byte, len(want))
	if err == nil {
		_, err = io.ReadFull(c.r, got)
	}
	if err != nil || string(got) != want {
		t.Fatalf("%.40q: %q, %v, want %q", command, got, err, want)
	}
}

func (c polite) set(t *testing.T, key, value string) {
	c.do(t, fmt.Sprintf("*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(key), key, len(value), value), "+OK\r\n")
}

// waits is how long a polite client waited.
type waits struct{ p50, p99, most time.Duration }

func (w waits) String() string {
	return fmt.Sprintf("p50 %7v, p99 %7v, max %7v", w.p50.Round(time.Microsecond), w.p99.Round(time.Microsecond), w.most.Round(time.Microsecond))
}

func (c polite) measure(t *testing.T, during time.Duration) waits {
	t.Helper()
	var all []time.Duration
	for began := time.Now(); time.Since(began) < during; {
		at := time.Now()
		c.do(t, "SET k v\r\n", "+OK\r\n")
		c.do(t, "GET k\r\n", "$1\r\nv\r\n")
		all = append(all, time.Since(at)/2)
	}
	slices.Sort(all)
	return waits{all[len(all)/2], all[len(all)*99/100], all[len(all)-1]}
}

// crowd has n clients do something, each again and again until it is enough.
func crowd(n int, stop *atomic.Bool, each func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for !stop.Load() {
				each()
			}
		})
	}
	all.Wait()
}

// announce begins commands of 10^9 arguments, and arguments of 10^9 bytes.
func announce(addr string, stop *atomic.Bool) {
	crowd(16, stop, func() {
		for _, said := range []string{"*1000000000\r\n", "*1\r\n$1000000000\r\n"} {
			if nc, err := net.Dial("tcp", addr); err == nil {
				io.WriteString(nc, "AUTH sesame\r\n"+said)
				io.Copy(io.Discard, nc) // until the member has had enough
				nc.Close()
			}
		}
	})
}

// half begins values of 16 MB and never ends them: more than all buffers may hold.
func half(addr string, stop *atomic.Bool) {
	part := strings.Repeat("x", 1<<20)
	crowd(100, stop, func() {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer nc.Close()
		io.WriteString(nc, "AUTH sesame\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$16000000\r\n"+part)
		for !stop.Load() {
			nc.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			if _, err := io.Copy(io.Discard, nc); err == nil {
				return // the member has had enough
			}
		}
	})
}

// sayNothing opens connections, says the password on each, and no more.
func sayNothing(t *testing.T, addr string, n int, stop *atomic.Bool) {
	var all []net.Conn
	for range n {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Errorf("connection %d: %v", len(all), err)
			break
		}
		all = append(all, nc)
		io.WriteString(nc, "AUTH sesame\r\n")
	}
	for !stop.Load() {
		time.Sleep(10 * time.Millisecond)
	}
	for _, nc := range all {
		nc.Close()
	}
}

// guess tries wrong passwords, many at a time.
func guess(addr string, stop *atomic.Bool) {
	wrong := strings.Repeat("AUTH wrong\r\n", 100)
	crowd(16, stop, func() {
		if nc, err := net.Dial("tcp", addr); err == nil {
			io.WriteString(nc, wrong)
			nc.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, nc)
			nc.Close()
		}
	})
}

// readNothing asks for megabytes and takes none of them.
func readNothing(addr string, stop *atomic.Bool) {
	asks := "AUTH sesame\r\n" + strings.Repeat("GET large\r\n", 200)
	crowd(100, stop, func() {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer nc.Close()
		nc.(*net.TCPConn).SetReadBuffer(4 << 10)
		io.WriteString(nc, asks)
		for i := 0; i < 100 && !stop.Load(); i++ {
			time.Sleep(20 * time.Millisecond)
		}
	})
}
