package memnet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// drain reads what arrives until nothing came for a minute.
func drain(t *testing.T, c *packetConn) []string {
	t.Helper()
	var got []string
	buf := make([]byte, maxPacket)
	for {
		c.SetReadDeadline(time.Now().Add(time.Minute))
		n, _, err := c.ReadFrom(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(buf[:n]))
	}
}

func sendNumbers(t *testing.T, from, to *packetConn, count int) {
	t.Helper()
	for i := range count {
		if _, err := from.WriteTo(fmt.Appendf(nil, "%03d", i), to.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPacketsArriveFromTheirSender(t *testing.T) {
	a, b := sockets(t, New(1))
	sent := []byte("hello")
	a.WriteTo(sent, b.LocalAddr())
	clear(sent) // the network must have its own copy
	buf := make([]byte, 10)
	n, from, err := b.ReadFrom(buf)
	if string(buf[:n]) != "hello" || err != nil || from.String() != a.LocalAddr().String() {
		t.Errorf("ReadFrom = %q, %v, %v", buf[:n], from, err)
	}
	if _, ok := from.(*net.UDPAddr); !ok {
		t.Errorf("the sender's address is a %T", from)
	}
}

// TestPacketFateIsSeeded: latency reorders and loss loses, the same for the same
// seed, whatever happens on other links.
func TestPacketFateIsSeeded(t *testing.T) {
	run := func(seed uint64, noise bool) (got []string) {
		synctest.Test(t, func(t *testing.T) {
			n := New(seed)
			n.SetLatency(0, time.Second)
			n.SetLoss(0.25)
			a, b := sockets(t, n)
			if noise {
				sendNumbers(t, b, a, 50)
			}
			sendNumbers(t, a, b, 200)
			got = drain(t, b)
		})
		return got
	}
	first := run(1, false)
	if len(first) < 120 || len(first) > 180 {
		t.Errorf("%d of 200 packets arrived with a loss of 0.25", len(first))
	}
	if slices.IsSorted(first) {
		t.Error("random latency did not reorder packets")
	}
	if second := run(1, true); !slices.Equal(first, second) {
		t.Error("the same seed gave another fate")
	}
	if other := run(2, false); slices.Equal(first, other) {
		t.Error("another seed gave the same fate")
	}
}

func TestPacketsTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		n.SetLatency(time.Second, time.Second)
		a, b := sockets(t, n)
		start := time.Now()
		sendNumbers(t, a, b, 3)
		b.ReadFrom(make([]byte, 10))
		if took := time.Since(start); took != time.Second {
			t.Errorf("a packet took %v, want 1s", took)
		}
		if got := drain(t, b); !slices.Equal(got, []string{"001", "002"}) {
			t.Errorf("equally late packets came as %v", got)
		}
	})
}

func TestPacketsAreLostToACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		n.SetLatency(time.Second, time.Second)
		a, b := sockets(t, n)
		sendNumbers(t, a, b, 2) // in flight
		n.Cut("a", "b")
		sendNumbers(t, a, b, 3)
		sendNumbers(t, b, a, 1)
		n.Heal()
		if got := drain(t, b); got != nil {
			t.Errorf("over the cut link came %v", got)
		}
		if got := drain(t, a); len(got) != 1 {
			t.Errorf("against the cut came %v", got)
		}
		if got := n.Host("a").Stats(); got.Packets != 5 || got.PacketsLost != 5 || got.PacketBytes != 15 {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestPacketQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		a, b := sockets(t, n)
		sendNumbers(t, a, b, queuePackets+10)
		if got := drain(t, b); len(got) != queuePackets {
			t.Errorf("%d packets were kept, want %d", len(got), queuePackets)
		}
		for range 100 {
			a.WriteTo(make([]byte, maxPacket), b.LocalAddr())
		}
		if got := drain(t, b); len(got) != queueBytes/maxPacket {
			t.Errorf("%d large packets were kept, want %d", len(got), queueBytes/maxPacket)
		}
		if got := n.Stats().PacketsDropped; got != 10+100-queueBytes/maxPacket {
			t.Errorf("%d packets are counted as dropped", got)
		}
		if _, err := a.WriteTo(make([]byte, maxPacket+1), b.LocalAddr()); !errors.Is(err, syscall.EMSGSIZE) {
			t.Errorf("an oversized packet: %v", err)
		}
	})
}

func TestPausedHostKeepsPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		a, b := sockets(t, n)
		n.Pause("a")
		sendNumbers(t, a, b, maxHeld+5)
		sendNumbers(t, b, a, 2)
		if got := append(drain(t, a), drain(t, b)...); got != nil {
			t.Errorf("past a paused host came %v", got)
		}
		n.Resume("a")
		if got := len(drain(t, b)); got != maxHeld {
			t.Errorf("after Resume %d packets were sent, want %d", got, maxHeld)
		}
		if got := len(drain(t, a)); got != 2 {
			t.Errorf("after Resume %d packets were read, want 2", got)
		}
	})
}

func TestPacketConnCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		a, b := sockets(t, n)
		for _, end := range []func(){func() { a.Close() }, func() { n.Kill("b") }} {
			errs := make(chan error, 2)
			for _, c := range []*packetConn{a, b} {
				go func() { _, _, err := c.ReadFrom(make([]byte, 1)); errs <- err }()
			}
			synctest.Wait()
			end()
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				t.Errorf("a reader that waited got %v", err)
			}
		}
		if _, err := b.WriteTo(nil, a.LocalAddr()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("WriteTo after Close: %v", err)
		}
		if err := a.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second Close: %v", err)
		}
	})
}
