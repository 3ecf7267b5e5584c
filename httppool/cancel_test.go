package httppool

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// gate is the serving end of a connection whose reads can be stopped.
type gate struct {
	net.Conn
	mu   sync.Mutex
	shut chan struct{} // nil: open
	gone chan struct{} // closed by Close
	once sync.Once
}

func newGate(c net.Conn) *gate { return &gate{Conn: c, gone: make(chan struct{})} }

func (g *gate) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.shut)
	g.shut = nil
}

func (g *gate) Read(p []byte) (int, error) {
	for {
		g.mu.Lock()
		shut := g.shut
		g.mu.Unlock()
		if shut == nil {
			return g.Conn.Read(p)
		}
		select {
		case <-shut:
		case <-g.gone:
			return 0, net.ErrClosed
		}
	}
}

func (g *gate) Close() error {
	g.once.Do(func() { close(g.gone) })
	return g.Conn.Close()
}

// gated serves h in memory, through gates that arrive on the channel.
func gated(t *testing.T, cfg Config) (server *Pool, dial func(context.Context, string) (net.Conn, error), gates chan *gate) {
	gates = make(chan *gate, 16)
	mem := newMemNet()
	mem.wrap = func(c net.Conn) net.Conn { g := newGate(c); gates <- g; return g }
	server = newPool(t, cfg)
	serveOn(t, server, mem)
	return server, mem.Dial, gates
}

func TestCancelReachesTheHandler(t *testing.T) {
	h := newHold()
	_, addr := serverPool(t, Config{Handler: h})
	client := newPool(t, Config{})
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error)
	go func() { result <- client.Peer(addr).Call(ctx, &Request{Key: "k"}, new(Response)) }()
	<-h.entered
	cancel()
	wantCallError(t, <-result, context.Canceled, true)
	if err := <-h.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler's context ended with %v, want Canceled", err)
	}
	// The slot of the abandoned call comes back with the answer.
	c := client.Peer(addr).places[0].conn.Load()
	eventually(t, "no call in flight", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.inflight == 0 })
}

func TestDeadlineTravels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := newMemNet()
		left, over := make(chan time.Duration, 1), make(chan struct{})
		h := handlerFuncs{slow: func(ctx context.Context, _ string, _ *Request, _ *Response) {
			until, _ := ctx.Deadline()
			left <- time.Until(until)
			<-ctx.Done()
			<-over // or the answer could come at the same moment as the deadline
		}}
		serveOn(t, newPool(t, Config{Handler: h}), mem)
		defer close(over)
		q := newPool(t, Config{Dial: mem.Dial}).Peer("a")
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		wantCallError(t, q.Call(ctx, new(Request), new(Response)), context.DeadlineExceeded, true)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("the call failed after %v, want 3s", took)
		}
		if got := <-left; got != 3*time.Second {
			t.Errorf("the handler had %v left, want 3s", got)
		}
	})
}

// TestCancelWhileThePeerDoesNotRead holds a connection so that nothing is read, and
// cancels one request of each kind of place in the line.
func TestCancelWhileThePeerDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan string, 64)
		h := handlerFuncs{fast: func(_ string, req *Request, resp *Response) bool {
			seen <- string(append([]byte(nil), req.Key...))
			return len(req.Value) <= inlineMax
		}, slow: func(context.Context, string, *Request, *Response) { seen <- "large" }}
		_, dial, gates := gated(t, Config{Handler: h})
		q := newPool(t, Config{Dial: dial, SilenceTimeout: time.Hour}).Peer("a")
		call := func(ctx context.Context, key string, size int) chan error {
			result := make(chan error, 1)
			value := make([]byte, size)
			go func() {
				err := q.Call(ctx, &Request{Key: key, Value: value}, new(Response))
				for i := range value {
					value[i] = 1 // the race detector sees whoever still reads it
				}
				result <- err
			}()
			synctest.Wait()
			return result
		}
		if err := <-call(t.Context(), "first", 0); err != nil || <-seen != "first" {
			t.Fatal(err)
		}
		g := <-gates
		g.stop()
		// The server's reader is already inside a read: this passes, and then the gate holds.
		if err := <-call(t.Context(), "passes", 0); err != nil || <-seen != "passes" {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		writing := call(ctx, "writing", 0)
		waiting := call(ctx, "waiting", 0)
		large := call(ctx, "large", 8<<20)
		kept := call(t.Context(), "kept", 0)
		cancel()
		wantCallError(t, <-writing, context.Canceled, true)
		wantCallError(t, <-waiting, context.Canceled, false)
		wantCallError(t, <-large, context.Canceled, false)
		g.open()
		if err := <-kept; err != nil {
			t.Fatal(err)
		}
		if a, b, more := <-seen, <-seen, len(seen); a != "writing" || b != "kept" || more > 0 {
			t.Errorf("the handler saw %q, %q and %d more, want writing, kept and no more", a, b, more)
		}
	})
}

// TestCancelOfAHalfSentRequest cancels a large request after its first chunks.
func TestCancelOfAHalfSentRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, dial, gates := gated(t, Config{Handler: handlerFuncs{
			fast: func(_ string, req *Request, _ *Response) bool { return req.Op == 0 },
			slow: func(_ context.Context, _ string, req *Request, _ *Response) {
				t.Errorf("a handler ran with a value of %d bytes", len(req.Value))
			},
		}})
		q := newPool(t, Config{Dial: dial, SilenceTimeout: time.Hour, ConnsPerPeer: 1}).Peer("a")
		if err := q.Call(t.Context(), new(Request), new(Response)); err != nil {
			t.Fatal(err)
		}
		g := <-gates
		g.stop() // one read is under way and will take the head and some data
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		value := make([]byte, 8<<20)
		go func() {
			err := q.Call(ctx, &Request{Op: 1, Value: value}, new(Response))
			clear(value)
			result <- err
		}()
		synctest.Wait()
		cancel()
		wantCallError(t, <-result, context.Canceled, false)
		g.open()
		for range 3 {
			if err := q.Call(t.Context(), new(Request), new(Response)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		c := q.places[0].conn.Load()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.inflight != 0 {
			t.Errorf("%d calls are in flight, want 0", c.inflight)
		}
		if s := server.Stats(); s.ConnsIn != 1 || s.Served != 0 {
			t.Errorf("got %d connections and %d served calls, want 1 and 0", s.ConnsIn, s.Served)
		}
	})
}

func TestContextThatEndedBefore(t *testing.T) {
	_, addr := serverPool(t, Config{Handler: echoFast})
	q := newPool(t, Config{}).Peer(addr)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	wantCallError(t, q.Call(ctx, new(Request), new(Response)), context.Canceled, false)
	ctx, cancel = context.WithDeadline(context.Background(), time.Unix(1, 0))
	defer cancel()
	wantCallError(t, q.Call(ctx, new(Request), new(Response)), context.DeadlineExceeded, false)
}
