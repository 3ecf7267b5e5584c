package memnet

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestDialErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		a := n.Host("a")
		n.Host("b")
		start := time.Now()
		for addr, want := range map[string]error{
			"b:7":         syscall.ECONNREFUSED,
			":7":          syscall.ECONNREFUSED, // this host
			"10.9.9.9:7":  syscall.EHOSTUNREACH,
			"127.0.0.1:7": syscall.EHOSTUNREACH,
		} {
			_, err := a.Dial(t.Context(), addr)
			if oe, ok := errors.AsType[*net.OpError](err); !ok || !errors.Is(err, want) {
				t.Errorf("Dial(%q): %v (%T), want %v", addr, err, oe, want)
			}
		}
		if _, err := a.Dial(t.Context(), "nobody:7"); !isNotFound(err) {
			t.Errorf("Dial of an unknown name: %v", err)
		}
		for _, addr := range []string{"", "b", "b:x", "b:70000"} {
			if _, err := a.Dial(t.Context(), addr); err == nil {
				t.Errorf("Dial(%q) gave no error", addr)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the errors took %v", took)
		}
	})
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.IsNotFound
}

func TestDialWaitsWhileCut(t *testing.T) {
	for _, cut := range [][2]string{{"a", "b"}, {"b", "a"}} {
		synctest.Test(t, func(t *testing.T) {
			n := New(1)
			l, _ := n.Host("b").Listen(t.Context(), ":7")
			n.Cut(cut[0], cut[1])
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			start := time.Now()
			if _, err := n.Host("a").Dial(ctx, "b:7"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
				t.Errorf("Dial over a cut link: %v after %v", err, time.Since(start))
			}
			time.AfterFunc(time.Second, n.Heal)
			if _, err := n.Host("a").Dial(t.Context(), "b:7"); err != nil {
				t.Errorf("Dial healed midway: %v", err)
			}
			l.Close()
			n.Kill("a")
		})
	}
}

func TestDialTakesARoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		a, b := n.Host("a"), n.Host("b")
		n.SetLinkLatency("a", "b", time.Second, time.Second)
		n.SetLinkLatency("b", "a", 2*time.Second, 2*time.Second)
		l, _ := b.Listen(t.Context(), "b:7")
		defer l.Close()
		start := time.Now()
		if _, err := a.Dial(t.Context(), l.Addr().String()); err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("Dial: %v after %v, want 3s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Dial(ctx, "b:7"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial with less time than a round trip: %v", err)
		}
		n.Kill("a")
	})
}

func TestDialWaitsForBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		l, _ := n.Host("b").Listen(t.Context(), ":7")
		var near []net.Conn
		for range maxBacklog {
			c, err := n.Host("a").Dial(t.Context(), "b:7")
			if err != nil {
				t.Fatal(err)
			}
			near = append(near, c)
		}
		dialled := false
		go func() {
			n.Host("a").Dial(t.Context(), "b:7")
			dialled = true
		}()
		synctest.Wait()
		if dialled {
			t.Fatal("a dial passed a full backlog")
		}
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !dialled {
			t.Fatal("a dial went on waiting though there is room")
		}
		l.Close()
		if _, err := near[1].Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a stream that was never accepted reads %v", err)
		}
		n.Kill("a")
		n.Kill("b")
	})
}

func TestListenPorts(t *testing.T) {
	n := New(1)
	a := n.Host("a")
	l, err := a.Listen(t.Context(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Listen(t.Context(), l.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port that is in use: %v", err)
	}
	p, err := a.ListenPacket(t.Context(), l.Addr().String())
	if err != nil {
		t.Errorf("the same port for packets: %v", err)
	}
	if _, err := a.ListenPacket(t.Context(), p.LocalAddr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a packet port that is in use: %v", err)
	}
	for _, addr := range []string{"127.0.0.1:0", n.Host("b").IP().String() + ":0"} {
		if _, err := a.Listen(t.Context(), addr); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("listening at %s: %v", addr, err)
		}
	}
	l.Close()
	p.Close()
	if _, err := a.Listen(t.Context(), l.Addr().String()); err != nil {
		t.Errorf("a port that was closed: %v", err)
	}
	if _, err := a.ListenPacket(t.Context(), "0.0.0.0:9"); err != nil {
		t.Errorf("an unspecified address: %v", err)
	}
}
