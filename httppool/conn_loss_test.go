package httppool

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestServerDiesDuringACall(t *testing.T) {
	h := newHold()
	server, addr := serverPool(t, Config{Handler: h})
	q := newPool(t, Config{}).Peer(addr)
	const callers = 20
	results := make(chan error, callers)
	for range callers {
		go func() { results <- q.Call(within(t), new(Request), new(Response)) }()
	}
	for range callers {
		<-h.entered
	}
	server.Close()
	for range callers {
		wantCallError(t, <-results, ErrConnLost, true)
	}
}

func TestServerRestartsOnTheSameAddress(t *testing.T) {
	ln, addr := listen(t)
	server := newPool(t, Config{Handler: echoFast})
	stop := serveOn(t, server, ln)
	client := newPool(t, Config{BackoffMin: time.Millisecond, BackoffMax: 2 * time.Millisecond})
	q := client.Peer(addr)
	checkEcho(t, q, "", Request{Key: "before"})
	stop()
	server.Close()
	eventually(t, "the client notices", func() bool { return client.Stats().ConnsOut == 0 })
	wantCallError(t, q.Call(within(t), new(Request), new(Response)), ErrUnreachable, false)

	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, newPool(t, Config{Handler: echoFast}), ln)
	eventually(t, "the server answers again", func() bool {
		err := q.Call(within(t), new(Request), new(Response))
		if err != nil {
			wantCallError(t, err, ErrUnreachable, false)
		}
		return err == nil
	})
}

// brittle is the calling end of a connection that takes only some bytes of each write
// and then fails.
type brittle struct {
	net.Conn
	take atomic.Int64 // bytes that it still takes; negative: all
}

func (b *brittle) Write(p []byte) (int, error) {
	take := b.take.Load()
	if take < 0 {
		return b.Conn.Write(p)
	}
	n, _ := b.Conn.Write(p[:min(int64(len(p)), take)])
	return n, errors.New("broken")
}

func TestConnectionBreaksInAWrite(t *testing.T) {
	for _, test := range []struct {
		name    string
		take    int64
		retried bool
		cut     bool
	}{
		{"nothing written", 0, true, false},
		{"half a frame written", 10, true, true},
		{"all written", 1 << 20, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var handled atomic.Int64
			server, addr := serverPool(t, Config{Handler: handlerFuncs{
				fast: func(_ string, req *Request, _ *Response) bool { return req.Op == 0 },
				slow: func(ctx context.Context, _ string, _ *Request, _ *Response) {
					if handled.Add(1); !test.retried {
						<-ctx.Done() // no answer is to overtake the failing write
					}
				},
			}})
			conns := make(chan *brittle, 4)
			client := newPool(t, Config{Dial: func(ctx context.Context, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
				b := &brittle{Conn: c}
				b.take.Store(-1)
				conns <- b
				return b, err
			}})
			q := client.Peer(addr)
			if err := q.Call(within(t), new(Request), new(Response)); err != nil {
				t.Fatal(err)
			}
			(<-conns).take.Store(test.take)
			err := q.Call(within(t), &Request{Op: 1}, new(Response))
			if test.retried {
				if err != nil || client.Stats().Retries != 1 {
					t.Errorf("got %v and %d retries, want success on a second connection", err, client.Stats().Retries)
				}
			} else {
				wantCallError(t, err, ErrConnLost, true)
			}
			eventually(t, "handled once", func() bool { return handled.Load() == 1 })
			eventually(t, "a cut frame is counted", func() bool {
				return (server.Stats().BadFrames[badTruncated] == 1) == test.cut
			})
		})
	}
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int64
		refused := errors.New("nobody there")
		client := newPool(t, Config{Dial: func(context.Context, string) (net.Conn, error) {
			dials.Add(1)
			return nil, refused
		}})
		q := client.Peer("a")
		var last time.Time
		for i := range int64(12) {
			for dials.Load() == i {
				wantCallError(t, q.Call(t.Context(), new(Request), new(Response)), refused, false)
				wantCallError(t, q.Call(t.Context(), new(Request), new(Response)), ErrUnreachable, false)
				time.Sleep(time.Millisecond)
			}
			if i > 0 {
				most := min(20*time.Millisecond<<(i-1), time.Second)
				if wait := time.Since(last); wait < most/2 || wait > most+3*time.Millisecond {
					t.Errorf("dial %d came after %v, want %v to %v", i, wait, most/2, most)
				}
			}
			last = time.Now()
		}
	})
}

func TestCallsShareADial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := newMemNet()
		serveOn(t, newPool(t, Config{Handler: echoFast}), mem)
		client := newPool(t, Config{Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			time.Sleep(time.Second)
			return mem.Dial(ctx, addr)
		}})
		q := client.Peer("a")
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				if i%2 == 0 {
					wantCallError(t, q.Call(ctx, new(Request), new(Response)), context.DeadlineExceeded, false)
					if took := time.Since(start); took != 500*time.Millisecond {
						t.Errorf("a waiter left after %v, want 500ms", took)
					}
				} else if err := q.Call(t.Context(), new(Request), new(Response)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := client.Stats().Dials; got != 1 {
			t.Errorf("got %d dials, want 1", got)
		}
	})
}

// TestPeerThatHangsUp checks that a peer which admits and then closes does not make
// every call dial.
func TestPeerThatHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := newMemNet()
		serveOn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			h := hello{nonce: newNonce(), lim: limits{100, 100}}
			io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: "+protocol+"\r\n"+h.header()+"\r\n")
			conn.Close()
		}), mem)
		client := newPool(t, Config{Dial: mem.Dial})
		for range 100 {
			err := client.Peer("a").Call(t.Context(), new(Request), new(Response))
			if !errors.Is(err, ErrConnLost) {
				t.Fatalf("got %v, want ErrConnLost", err)
			}
			synctest.Wait()
		}
		if got := client.Stats().Dials; got != 1 {
			t.Errorf("100 calls at one moment made %d dials, want 1", got)
		}
	})
}
