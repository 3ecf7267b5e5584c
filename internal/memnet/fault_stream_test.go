package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestStreamFaultsSparePackets: what is done to streams alone leaves packets alone,
// the other direction's dials where it is one-way, and Heal ends it.
func TestStreamFaultsSparePackets(t *testing.T) {
	for _, tt := range []struct {
		name       string
		fault      func(n *Network)
		dial       error // of a dial from a to b
		back       error // of a dial from b to a
		read, late error // of a stream that a opened to b before, under the fault
	}{
		{"cut", func(n *Network) { n.CutStreams("a", "b") }, context.DeadlineExceeded, context.DeadlineExceeded, nil, nil},
		{"refuse", func(n *Network) { n.RefuseStreams("a", "b") }, syscall.ECONNREFUSED, nil, syscall.ECONNRESET, syscall.ECONNRESET},
		{"hang up", func(n *Network) { n.HangUp("a", "b") }, nil, nil, nil, nil},
		{"reset", func(n *Network) { n.ResetStreams("a", "b") }, nil, nil, syscall.ECONNRESET, syscall.ECONNRESET},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := New(1)
				near, far := pair(t, n)
				toNear, toFar := readAll(near), readAll(far)
				a, b := sockets(t, n)
				for _, host := range []string{"a", "b"} {
					l, err := n.Host(host).Listen(t.Context(), ":7")
					if err != nil {
						t.Fatal(err)
					}
					defer l.Close()
				}
				tt.fault(n)
				synctest.Wait()
				if !errors.Is(toNear.err, tt.read) || !errors.Is(toFar.err, tt.read) {
					t.Errorf("under the fault the ends read %v and %v, want %v", toNear.err, toFar.err, tt.read)
				}
				if _, err := near.Write([]byte("x")); !errors.Is(err, tt.late) {
					t.Errorf("Write: %v, want %v", err, tt.late)
				}
				for _, d := range []struct {
					from, to string
					want     error
				}{{"a", "b:7", tt.dial}, {"b", "a:7", tt.back}} {
					c, err := dialFor(t, n.Host(d.from), d.to)
					if !errors.Is(err, d.want) || (d.want == nil) != (err == nil) {
						t.Errorf("Dial %s -> %s: %v, want %v", d.from, d.to, err, d.want)
					}
					if c != nil {
						c.Close()
					}
				}
				a.WriteTo([]byte("packet"), b.LocalAddr())
				b.SetReadDeadline(time.Now().Add(time.Second))
				if _, _, err := b.ReadFrom(make([]byte, 16)); err != nil {
					t.Errorf("a packet under the fault: %v", err)
				}
				n.Heal()
				if c, err := dialFor(t, n.Host("a"), "b:7"); err != nil {
					t.Errorf("Dial after Heal: %v", err)
				} else {
					c.Close()
				}
				if tt.read == nil {
					near.Close()
					synctest.Wait()
					if string(toFar.data) != "x" || toFar.err != io.EOF {
						t.Errorf("after Heal the stream brought %q, %v", toFar.data, toFar.err)
					}
				}
				near.Close()
				far.Close()
				n.Kill("a")
				n.Kill("b")
			})
		})
	}
}

func dialFor(t *testing.T, h *Host, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return h.Dial(ctx, addr)
}

// TestHangUpEndsTheStream: it opens, and whoever dialled reads its end.
func TestHangUpEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		n.SetLatency(time.Millisecond, time.Millisecond)
		l, err := n.Host("b").Listen(t.Context(), ":7")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		n.HangUp("a", "b")
		c, err := n.Host("a").Dial(t.Context(), "b:7")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("Read: %v, want EOF", err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write: %v, want a broken pipe", err)
		}
	})
}

// TestCutLink cuts both ways, packets too.
func TestCutLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		a, b := sockets(t, n)
		n.CutLink("a", "b")
		a.WriteTo([]byte("x"), b.LocalAddr())
		b.WriteTo([]byte("x"), a.LocalAddr())
		for _, s := range []*packetConn{a, b} {
			s.SetReadDeadline(time.Now().Add(time.Second))
			if _, _, err := s.ReadFrom(make([]byte, 1)); err == nil {
				t.Error("a packet passed")
			}
		}
	})
}
