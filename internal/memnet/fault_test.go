package memnet

import (
	"context"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// reading reads into a string in the background.
type reading struct {
	data []byte
	err  error
}

func readAll(c *Conn) *reading {
	r := new(reading)
	go func() {
		buf := make([]byte, 64)
		for r.err == nil {
			var n int
			n, r.err = c.Read(buf)
			r.data = append(r.data, buf[:n]...)
		}
	}()
	return r
}

// TestCutStallsOneWay: what was sent during the cut arrives after Heal, in
// order, and the other way is not affected.
func TestCutStallsOneWay(t *testing.T) {
	for _, latency := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			n := New(1)
			near, far := pair(t, n)
			n.SetLatency(latency, latency)
			toFar, toNear := readAll(far), readAll(near)
			near.Write([]byte("before "))
			time.Sleep(2 * time.Second)
			near.Write([]byte("in flight ")) // arrives at once without latency, else the cut holds it
			n.Cut("a", "b")
			near.Write([]byte("during "))
			far.Write([]byte("back"))
			time.Sleep(time.Hour)
			synctest.Wait()
			want := "before in flight "
			if latency > 0 {
				want = "before "
			}
			if got := string(toFar.data); got != want {
				t.Errorf("latency %v: over the cut link came %q, want %q", latency, got, want)
			}
			if got := string(toNear.data); got != "back" {
				t.Errorf("latency %v: against the cut came %q", latency, got)
			}
			n.Heal()
			healed := time.Now()
			near.Write([]byte("after"))
			near.Close()
			time.Sleep(latency)
			synctest.Wait()
			if got := string(toFar.data); got != "before in flight during after" || toFar.err != io.EOF {
				t.Errorf("latency %v: after Heal came %q, %v", latency, got, toFar.err)
			}
			if time.Since(healed) != latency {
				t.Errorf("arrived %v after Heal, want %v", time.Since(healed), latency)
			}
			far.Close()
		})
	}
}

// TestCutHidesClose: neither the end of a stream nor a crash is seen across a cut.
func TestCutHidesClose(t *testing.T) {
	for name, tt := range map[string]struct {
		end        func(*Network, *Conn)
		read, want error
	}{
		"close": {func(_ *Network, c *Conn) { c.Close() }, io.EOF, syscall.EPIPE},
		"kill":  {func(n *Network, _ *Conn) { n.Kill("a") }, syscall.ECONNRESET, syscall.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := New(1)
				near, far := pair(t, n)
				r := readAll(far)
				n.Partition([]string{"a"}, []string{"b"})
				tt.end(n, near)
				synctest.Wait()
				if _, err := far.Write([]byte("x")); err != nil || r.err != nil {
					t.Fatalf("across the cut the peer noticed: read %v, write %v", r.err, err)
				}
				n.Heal()
				synctest.Wait()
				if _, err := far.Write([]byte("x")); !errors.Is(err, tt.want) || !errors.Is(r.err, tt.read) {
					t.Errorf("after Heal: read %v, want %v; write %v, want %v", r.err, tt.read, err, tt.want)
				}
				far.Close()
			})
		})
	}
}

func TestCutFillsTheBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		near, far := pair(t, n)
		n.Cut("a", "b")
		near.SetWriteDeadline(time.Now().Add(time.Minute))
		k, err := near.Write(make([]byte, bufferMax+1))
		if k != bufferMax || err == nil {
			t.Errorf("Write over a cut link = %d, %v; want a full buffer and a timeout", k, err)
		}
		far.Close()
		near.Close()
	})
}

func TestPauseLooksLikeASuspendedProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		near, far := pair(t, n)
		l, _ := n.Host("b").Listen(t.Context(), ":7")
		accepted := 0
		go func() {
			for {
				if _, err := l.Accept(); err != nil {
					return
				}
				accepted++
			}
		}()
		toNear, toFar := readAll(near), readAll(far)
		n.Pause("b")
		far.Write([]byte("from b"))
		near.Write([]byte("to b"))
		if _, err := n.Host("a").Dial(t.Context(), "b:7"); err != nil {
			t.Errorf("a paused host's system did not accept: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := n.Host("b").Dial(ctx, "a:7"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a paused host dialled: %v", err)
		}
		synctest.Wait()
		if len(toNear.data)+len(toFar.data)+accepted > 0 || toNear.err != nil || toFar.err != nil {
			t.Errorf("a paused host sent %q, read %q and accepted %d", toNear.data, toFar.data, accepted)
		}
		n.Resume("b")
		synctest.Wait()
		if string(toNear.data) != "from b" || string(toFar.data) != "to b" || accepted != 1 {
			t.Errorf("after Resume: sent %q, read %q and accepted %d", toNear.data, toFar.data, accepted)
		}
		n.Kill("b")
		n.Kill("a")
	})
}

func TestKillResetsAndRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		b := n.Host("b")
		near, far := pair(t, n)
		l, _ := b.Listen(t.Context(), ":7")
		r, own := readAll(near), readAll(far)
		n.Kill("b")
		synctest.Wait()
		if !errors.Is(r.err, syscall.ECONNRESET) || own.err == nil {
			t.Errorf("after Kill the peer read %v, the killed end %v", r.err, own.err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after Kill the peer wrote: %v", err)
		}
		if _, err := l.Accept(); err == nil {
			t.Error("a killed host accepted")
		}
		for _, addr := range []string{"b:7", "b:8"} {
			if _, err := n.Host("a").Dial(t.Context(), addr); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dialling %s: %v, want ECONNREFUSED", addr, err)
			}
		}
		again := n.Host("b")
		if again == b || again.IP() != b.IP() {
			t.Errorf("the host that came after has the address %v, want %v", again.IP(), b.IP())
		}
		if _, err := again.Listen(t.Context(), ":7"); err != nil {
			t.Errorf("listening where the killed host did: %v", err)
		}
		if _, err := n.Host("a").Dial(t.Context(), "b:7"); err != nil {
			t.Errorf("dialling the host that came after: %v", err)
		}
		if _, err := b.Dial(t.Context(), "a:7"); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("a killed host dialled: %v", err)
		}
		if _, err := b.Listen(t.Context(), ":0"); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("a killed host listened: %v", err)
		}
		near.Close()
	})
}

// TestPausedThenKilled: what a suspended process had not sent dies with it.
func TestPausedThenKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		near, far := pair(t, n)
		n.SetLatency(time.Second, time.Second)
		r := readAll(far)
		n.Pause("a")
		near.Write([]byte("never sent"))
		n.Kill("a")
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(r.data) > 0 || !errors.Is(r.err, syscall.ECONNRESET) {
			t.Errorf("the peer read %q, %v", r.data, r.err)
		}
		far.Close()
	})
}

func TestPartitionGroups(t *testing.T) {
	n := New(1)
	hosts := []string{"a", "b", "c", "d", "late"}
	for _, name := range hosts[:4] {
		if _, err := n.Host(name).Listen(t.Context(), ":7"); err != nil {
			t.Fatal(err)
		}
	}
	n.Partition([]string{"a", "b"}, []string{"c"})
	n.Host("late").Listen(t.Context(), ":7")
	side := map[string]int{"a": 1, "b": 1, "c": 2}
	for _, from := range hosts {
		for _, to := range hosts {
			n.mu.Lock()
			cut := n.isCutLocked(from, to)
			n.mu.Unlock()
			if want := side[from] != side[to]; cut != want {
				t.Errorf("%s -> %s is cut: %v, want %v", from, to, cut, want)
			}
		}
	}
}

func TestTraceTellsFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		n.Host("a")
		var got []string
		n.Trace(func(e Event) { got = append(got, e.String()) })
		n.Cut("a", "b")
		time.Sleep(1500 * time.Millisecond)
		n.Partition([]string{"a", "c"}, []string{"b"})
		n.Heal()
		n.Kill("a")
		want := []string{
			"        0s  cut a -> b",
			"      1.5s  partition a c | b",
			"      1.5s  heal",
			"      1.5s  kill a",
		}
		if !slices.Equal(got, want) {
			t.Errorf("traced %q, want %q", got, want)
		}
	})
}
