package delay

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"testing"
	"time"
)

const oneWay = 500 * time.Microsecond

// dial returns both ends of a connection with a delay.
func dial(t *testing.T, d time.Duration) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	if client, err = Dialer(d).DialContext(t.Context(), "tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	t.Cleanup(func() {
		client.Close()
		server.Close()
		if c, ok := client.(*conn); ok {
			c.running.Wait()
		}
	})
	return client, server
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestARoundTripTakesTheDelayTwice takes the best tenth, for the machine has other work.
func TestARoundTripTakesTheDelayTwice(t *testing.T) {
	client, server := dial(t, oneWay)
	go io.Copy(server, server) // ends with the connection
	var took []time.Duration
	b := make([]byte, 1)
	for range 101 {
		began := time.Now()
		_, err := client.Write(b)
		must(t, err)
		_, err = io.ReadFull(client, b)
		must(t, err)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	if took[0] < 2*oneWay {
		t.Errorf("a round trip took %v, want at least %v", took[0], 2*oneWay)
	}
	if got := took[len(took)/10]; got > 3*oneWay {
		t.Errorf("all round trips but the best tenth took %v, want about %v", got, 2*oneWay)
	}
}

// TestManySmallWritesAreOnTheWayAtOnce sends what would take a second if one waited for
// the other.
func TestManySmallWritesAreOnTheWayAtOnce(t *testing.T) {
	client, server := dial(t, oneWay)
	const writes, size = 2000, 64
	began := time.Now()
	go func() {
		for i := range writes {
			if _, err := client.Write(bytes.Repeat([]byte{byte(i)}, size)); err != nil {
				t.Error(err)
			}
		}
	}()
	b := make([]byte, size)
	for i := range writes {
		_, err := io.ReadFull(server, b)
		must(t, err)
		if b[0] != byte(i) || b[size-1] != byte(i) {
			t.Fatalf("write %d arrives as %d", i, b[0])
		}
	}
	if took := time.Since(began); took > writes*oneWay/2 {
		t.Errorf("%d writes took %v: they wait for each other", writes, took)
	}
}

// echo sends bytes to a server that sends them back, and returns how long that took.
func echo(t *testing.T, d time.Duration, want []byte) time.Duration {
	t.Helper()
	client, server := dial(t, d)
	began := time.Now()
	go func() {
		if _, err := client.Write(want); err != nil {
			t.Error(err)
		}
	}()
	go func() {
		if _, err := io.CopyN(server, server, int64(len(want))); err != nil {
			t.Error(err)
		}
		server.Close()
	}()
	got := make([]byte, len(want))
	_, err := io.ReadFull(client, got)
	must(t, err)
	took := time.Since(began)
	if !bytes.Equal(got, want) {
		t.Error("other bytes came back")
	}
	if n, err := client.Read(got); err != io.EOF {
		t.Errorf("read %d bytes more, %v, want io.EOF", n, err)
	}
	return took
}

// TestThroughputIsTheNetworks sends what would take half a second if one chunk waited for
// the other, and a hundredth of it without a delay.
func TestThroughputIsTheNetworks(t *testing.T) {
	want := make([]byte, 1000*chunkSize)
	rand.NewChaCha8([32]byte{1}).Read(want)
	plain := echo(t, 0, want)
	if took := echo(t, oneWay, want); took > 10*plain+100*time.Millisecond {
		t.Errorf("%d MiB there and back took %v, and %v without a delay", len(want)>>20, took, plain)
	}
}

func TestDeadlinesAndTheOthersEnd(t *testing.T) {
	client, server := dial(t, oneWay)
	must(t, client.SetReadDeadline(time.Now().Add(time.Millisecond)))
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want the deadline's error", err)
	}
	must(t, client.SetReadDeadline(time.Time{}))
	must(t, server.Close())
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %v, want io.EOF, since the server is gone", err)
	}
	if client.RemoteAddr().Network() != "tcp" || client.RemoteAddr().String() != server.LocalAddr().String() {
		t.Errorf("the other end is %v, want %v", client.RemoteAddr(), server.LocalAddr())
	}
}

// TestWhatWasWrittenBeforeCloseArrives has a client that says good-bye.
func TestWhatWasWrittenBeforeCloseArrives(t *testing.T) {
	client, server := dial(t, oneWay)
	_, err := client.Write([]byte("quit"))
	must(t, err)
	must(t, client.Close())
	if _, err := client.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a Write after Close: %v", err)
	}
	if got, err := io.ReadAll(server); err != nil || string(got) != "quit" {
		t.Errorf("the server got %q, %v", got, err)
	}
}

// TestNobodyWaitsForever has an end that reads nothing: what is on the way is bounded, and who
// writes more waits until the deadline, or Close.
func TestNobodyWaitsForever(t *testing.T) {
	client, _ := dial(t, oneWay)
	lots := make([]byte, 64<<20)
	must(t, client.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
	if n, err := client.Write(lots); !errors.Is(err, os.ErrDeadlineExceeded) || n == len(lots) {
		t.Errorf("wrote %d bytes, %v, want the deadline's error", n, err)
	}
	must(t, client.SetWriteDeadline(time.Time{}))
	began, ended := make(chan struct{}), make(chan error)
	go func() {
		close(began)
		_, err := client.Write(lots)
		ended <- err
	}()
	go func() {
		_, err := client.Read(make([]byte, 1))
		ended <- err
	}()
	<-began
	must(t, client.Close())
	for range 2 {
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want net.ErrClosed", err)
		}
	}
}

func TestNoDelayIsTheNetworkAsItIs(t *testing.T) {
	client, _ := dial(t, 0)
	if _, ok := client.(*net.TCPConn); !ok {
		t.Errorf("got a %T, want the TCP connection itself", client)
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l.Close()
	if c, err := Dialer(oneWay).DialContext(t.Context(), "tcp", l.Addr().String()); err == nil {
		t.Errorf("got %v, want an error", c)
	}
}
