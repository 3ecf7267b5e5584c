package memnet

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var longAgo = time.Unix(1, 0)

func TestConnAddresses(t *testing.T) {
	near, far := pair(t, New(1))
	for _, c := range []*Conn{near, far} {
		if _, ok := c.LocalAddr().(*net.TCPAddr); !ok {
			t.Errorf("local address is a %T", c.LocalAddr())
		}
	}
	if got, want := near.LocalAddr().String(), far.RemoteAddr().String(); got != want {
		t.Errorf("near end is %s, the far end sees %s", got, want)
	}
	if got, want := far.LocalAddr().String(), near.RemoteAddr().String(); got != want {
		t.Errorf("far end is %s, the near end sees %s", got, want)
	}
}

// TestConnCarriesEverything sends random pieces both ways at once, through small
// and large reads, with and without latency.
func TestConnCarriesEverything(t *testing.T) {
	for _, latency := range []time.Duration{0, 3 * time.Millisecond} {
		t.Run(latency.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := New(1)
				n.SetLatency(latency/3, latency)
				near, far := pair(t, n)
				var wg sync.WaitGroup
				for i, ends := range [][2]*Conn{{near, far}, {far, near}} {
					rng := rand.New(rand.NewPCG(1, uint64(i)))
					sent := make([]byte, 3*bufferMax)
					for j := range sent {
						sent[j] = byte(rng.Uint32())
					}
					wg.Go(func() { writePieces(t, ends[0], sent, rng) })
					wg.Go(func() {
						if got := readPieces(t, ends[1], len(sent)); !bytes.Equal(got, sent) {
							t.Errorf("direction %d: bytes arrived out of order", i)
						}
					})
				}
				wg.Wait()
			})
		})
	}
}

func writePieces(t *testing.T, c *Conn, data []byte, rng *rand.Rand) {
	for len(data) > 0 {
		n := min(len(data), 1+rng.IntN(1<<rng.IntN(17)))
		if k, err := c.Write(data[:n]); err != nil || k != n {
			t.Errorf("Write of %d bytes = %d, %v", n, k, err)
			return
		}
		data = data[n:]
	}
}

func readPieces(t *testing.T, c *Conn, want int) []byte {
	rng := rand.New(rand.NewPCG(2, 2))
	got := make([]byte, 0, want)
	for len(got) < want {
		n, err := c.Read(got[len(got):min(want, len(got)+1+rng.IntN(1<<rng.IntN(17)))])
		if err != nil {
			t.Errorf("Read after %d bytes: %v", len(got), err)
			break
		}
		got = got[:len(got)+n]
	}
	return got
}

// TestConnWritesStayWhole lets writers that must wait for space compete.
func TestConnWritesStayWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, New(1))
		const writers, size = 5, bufferMax/2 + 1
		for i := range byte(writers) {
			go near.Write(bytes.Repeat([]byte{i}, size))
		}
		buf := make([]byte, size)
		for range writers {
			synctest.Wait() // all wait for space or their turn
			if _, err := io.ReadFull(far, buf); err != nil {
				t.Fatal(err)
			}
			if bytes.Count(buf, buf[:1]) != size {
				t.Fatal("two writes are interleaved")
			}
		}
	})
}

func TestConnWriteWaitsForSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, New(1))
		if n, err := near.Write(make([]byte, bufferMax)); n != bufferMax || err != nil {
			t.Fatalf("Write into an empty buffer = %d, %v", n, err)
		}
		done := false
		go func() {
			near.Write([]byte("x"))
			done = true
		}()
		synctest.Wait()
		if done {
			t.Fatal("a write did not wait though the buffer is full")
		}
		far.Read(make([]byte, 1))
		synctest.Wait()
		if !done {
			t.Fatal("a write went on waiting though there is space")
		}
	})
}

func TestConnCloseDeliversWhatWasSent(t *testing.T) {
	for _, latency := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			n := New(1)
			n.SetLatency(latency, latency)
			near, far := pair(t, n)
			start := time.Now()
			near.Write([]byte("last words"))
			near.Close()
			got, err := io.ReadAll(far)
			if string(got) != "last words" || err != nil {
				t.Fatalf("after Close the peer read %q, %v", got, err)
			}
			if took := time.Since(start); took != latency {
				t.Errorf("it took %v, want %v", took, latency)
			}
			if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("Write to a closed peer: %v, want EPIPE", err)
			}
			if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Read after Close: %v", err)
			}
			if err := near.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("second Close: %v", err)
			}
		})
	}
}

func TestConnCloseWakesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, New(1))
		near.Write(make([]byte, bufferMax))
		errs := make(chan error, 4)
		go func() { _, err := near.Read(make([]byte, 1)); errs <- err }()
		for range 2 { // one waits for space, one for its turn
			go func() { _, err := near.Write(make([]byte, 1)); errs <- err }()
		}
		synctest.Wait()
		near.Close()
		for range 3 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				t.Errorf("a call that waited returned %v", err)
			}
		}
		far.Close()
	})
}

func TestConnDeadlines(t *testing.T) {
	read := func(c *Conn) error { _, err := c.Read(make([]byte, 1)); return err }
	write := func(c *Conn) error { _, err := c.Write(make([]byte, 1)); return err }
	for _, tt := range []struct {
		name string
		op   func(*Conn) error
		set  func(*Conn, time.Time) error
	}{
		{"read", read, (*Conn).SetReadDeadline},
		{"write", write, (*Conn).SetWriteDeadline},
		{"read both", read, (*Conn).SetDeadline},
		{"write both", write, (*Conn).SetDeadline},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testDeadline(t, tt.op, tt.set) })
		})
	}
}

func testDeadline(t *testing.T, op func(*Conn) error, set func(*Conn, time.Time) error) {
	near, far := pair(t, New(1))
	near.Write(make([]byte, bufferMax)) // writers must wait
	wantTimeout := func(step string, after time.Duration) {
		t.Helper()
		start := time.Now()
		err := op(near)
		ne, ok := errors.AsType[net.Error](err)
		if !errors.Is(err, os.ErrDeadlineExceeded) || !ok || !ne.Timeout() {
			t.Errorf("%s: %v, want a timeout", step, err)
		}
		if got := time.Since(start); got != after {
			t.Errorf("%s: returned after %v, want %v", step, got, after)
		}
	}
	set(near, time.Now().Add(time.Second))
	wantTimeout("deadline set before", time.Second)
	wantTimeout("deadline passed", 0)

	set(near, time.Now().Add(time.Hour))
	time.AfterFunc(time.Second, func() { set(near, longAgo) })
	wantTimeout("deadline moved to the past while waiting", time.Second)

	set(near, time.Now().Add(time.Second))
	time.AfterFunc(time.Millisecond, func() { set(near, time.Now().Add(time.Minute)) })
	wantTimeout("deadline put off while waiting", time.Minute+time.Millisecond)

	set(near, time.Time{})
	time.AfterFunc(time.Hour, func() {
		far.Write([]byte("x"))
		far.Read(make([]byte, 1))
	})
	if err := op(near); err != nil {
		t.Errorf("no deadline: %v", err)
	}
	near.Close()
	if err := set(near, longAgo); !errors.Is(err, net.ErrClosed) {
		t.Errorf("setting a deadline after Close: %v", err)
	}
}

// TestConnExpiredReadLeavesData: a deadline in the past fails even if there is
// something to read, as with sockets, and loses nothing.
func TestConnExpiredReadLeavesData(t *testing.T) {
	near, far := pair(t, New(1))
	near.Write([]byte("x"))
	far.SetReadDeadline(longAgo)
	buf := make([]byte, 2)
	if n, err := far.Read(buf); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read = %d, %v", n, err)
	}
	far.SetReadDeadline(time.Time{})
	if n, err := far.Read(buf); n != 1 || err != nil {
		t.Errorf("Read = %d, %v", n, err)
	}
}

// TestConnRacingCalls runs everything at once, for the race detector.
func TestConnRacingCalls(t *testing.T) {
	n := New(1)
	near, far := pair(t, n)
	var wg sync.WaitGroup
	for _, c := range []*Conn{near, far} {
		for range 3 {
			wg.Go(func() {
				for range 200 {
					c.Write(make([]byte, 100))
				}
			})
			wg.Go(func() {
				for range 200 {
					c.SetReadDeadline(time.Now().Add(time.Millisecond))
					c.Read(make([]byte, 150))
				}
			})
		}
	}
	wg.Go(func() {
		for i := range 100 {
			n.SetLatency(0, time.Duration(i%3)*time.Microsecond)
			n.Cut("a", "b")
			n.Heal()
			n.Stats()
		}
	})
	wg.Wait()
	wg.Go(func() { near.Close() })
	wg.Go(func() { far.Close() })
	wg.Go(func() { n.Kill("a") })
	wg.Wait()
}
