package httppool

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestHeldBytesComeBack: a connection that carries more bytes of requests, one after
// another, than it may hold at once answers all of them.
func TestHeldBytesComeBack(t *testing.T) {
	const maxValue = 1 << 20
	server, addr := serverPool(t, Config{Handler: echoSlow, MaxValue: maxValue})
	client := newPool(t, Config{ConnsPerPeer: 1})
	q := client.Peer(addr)
	for _, size := range []int{maxValue, inlineMax} {
		for range 20 << 20 / size {
			var resp Response
			if err := q.Call(within(t), &Request{Value: make([]byte, size)}, &resp); err != nil || resp.Status != 0 || len(resp.Value) != size {
				t.Fatalf("a call of %d bytes: status %d, %v", size, resp.Status, err)
			}
		}
	}
	eventually(t, "nothing is held", func() bool {
		c := onlyServing(server)
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.held == 0 && len(c.running) == 0
	})
}

// TestHeldBytesAreBounded: calls whose requests do not fit are answered, and fit once
// others have ended.
func TestHeldBytesAreBounded(t *testing.T) {
	const maxValue = 1 << 20
	for _, size := range []int{maxValue, inlineMax} {
		h := newHold()
		h.entered = make(chan string, 1<<12)
		server, addr := serverPool(t, Config{Handler: h, MaxValue: maxValue})
		q := newPool(t, Config{ConnsPerPeer: 1}).Peer(addr)
		fit := (16<<20)/size - 1 // heads count too
		ctx := within(t)
		call := func() (uint8, error) {
			var resp Response
			err := q.Call(ctx, &Request{Key: "k", Value: make([]byte, size)}, &resp)
			return resp.Status, err
		}
		var calls sync.WaitGroup
		for range fit {
			calls.Go(func() {
				if status, err := call(); err != nil || status != 0 {
					t.Errorf("a call that fits: status %d, %v", status, err)
				}
			})
		}
		for i := range fit {
			select {
			case <-h.entered:
			case <-ctx.Done():
				t.Fatalf("%d calls of %d bytes were let in, want %d", i, size, fit)
			}
		}
		for range 3 {
			if status, err := call(); err != nil || status != StatusOverloaded {
				t.Errorf("a call of %d bytes too many: status %d, %v, want StatusOverloaded", size, status, err)
			}
		}
		if got := server.Stats().Overloaded; got != 3 {
			t.Errorf("%d overloaded calls counted, want 3", got)
		}
		close(h.release)
		calls.Wait()
		if status, err := call(); err != nil || status != 0 {
			t.Errorf("a call after the others: status %d, %v", status, err)
		}
	}
}

// TestHeldBytesOfCancelledRequests come back before their value came.
func TestHeldBytesOfCancelledRequests(t *testing.T) {
	p, conn := pipeServer(t, echoSlow)
	go func() {
		buf := make([]byte, 1<<16)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	}()
	for id := range uint32(10) {
		if _, err := conn.Write(frames(largeRequest(id, 60<<20), appendHeader(nil, frameCancel, id, 0))); err != nil {
			t.Fatal(err)
		}
	}
	wantReading(t, conn)
	c := onlyServing(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held != 0 {
		t.Errorf("%d bytes are held of requests that were cancelled", c.held)
	}
}

// TestDeadlineOfALargeRequest counts from when its head came, not from its last byte.
func TestDeadlineOfALargeRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := make(chan time.Duration, 1)
		p := newPool(t, Config{Handler: handlerFuncs{slow: func(ctx context.Context, _ string, _ *Request, _ *Response) {
			deadline, _ := ctx.Deadline()
			left <- time.Until(deadline)
		}}})
		near, far := net.Pipe()
		defer near.Close()
		go p.serve(opened{conn: far, lim: testLimits}, "pipe")
		near.Write(appendRequest(nil, 1, &Request{Value: make([]byte, inlineMax+1)}, 3*time.Second))
		time.Sleep(2 * time.Second)
		near.Write(dataFrame(1, inlineMax+1))
		if got := <-left; got != time.Second {
			t.Errorf("the handler has %v left, want 1s", got)
		}
	})
}

// TestCloseWaits: when Close has returned, no handler runs any more.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, release, entered := newMemNet(), make(chan struct{}), make(chan struct{})
		server := newPool(t, Config{Handler: handlerFuncs{slow: func(context.Context, string, *Request, *Response) {
			close(entered)
			<-release // whatever its context says
		}}})
		serveOn(t, server, mem)
		client := newPool(t, Config{Dial: mem.Dial})
		go client.Peer("a").Call(t.Context(), new(Request), new(Response))
		<-entered
		var closed atomic.Bool
		go func() {
			server.Close()
			closed.Store(true)
		}()
		synctest.Wait()
		if closed.Load() {
			t.Error("Close returned while a handler ran")
		}
		close(release)
		synctest.Wait()
		if !closed.Load() {
			t.Error("Close did not return after the handler did")
		}
	})
}

// TestBackoffBeginsAnew after a connection that worked.
func TestBackoffBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := newMemNet()
		serveOn(t, newPool(t, Config{Handler: echoFast}), mem)
		var dials atomic.Int64
		var down atomic.Bool
		var last atomic.Pointer[net.Conn]
		client := newPool(t, Config{ConnsPerPeer: 1, Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			if dials.Add(1); down.Load() {
				return nil, errors.New("nobody there")
			}
			c, err := mem.Dial(ctx, addr)
			last.Store(&c)
			return c, err
		}})
		q := client.Peer("a")
		call := func() error { return q.Call(t.Context(), new(Request), new(Response)) }
		down.Store(true)
		for dials.Load() < 10 { // the wait is a second now
			call()
			time.Sleep(10 * time.Millisecond)
		}
		down.Store(false)
		time.Sleep(time.Second)
		if err := call(); err != nil {
			t.Fatal(err)
		}
		down.Store(true)
		(*last.Load()).Close()
		synctest.Wait()
		before := dials.Load()
		call()
		time.Sleep(20 * time.Millisecond) // BackoffMin
		call()
		if got := dials.Load() - before; got != 2 {
			t.Errorf("%d dials in 20ms after a connection that worked, want 2", got)
		}
	})
}

// TestCallMeetsALeavingConnection: one that took the connection just before the peer asked
// for no more calls goes over another.
func TestCallMeetsALeavingConnection(t *testing.T) {
	h := newHold()
	_, addr := serverPool(t, Config{Handler: handlerFuncs{
		fast: func(_ string, req *Request, _ *Response) bool { return req.Key == "first" }, slow: h.Serve,
	}})
	client := newPool(t, Config{})
	q := client.Peer(addr)
	if err := q.Call(within(t), &Request{Key: "first"}, new(Response)); err != nil {
		t.Fatal(err)
	}
	underWay := make(chan error, 1)
	go func() { underWay <- q.Call(within(t), &Request{Key: "before"}, new(Response)) }()
	<-h.entered
	req := &Request{Key: "meets it"}
	p := Pending{peer: q, req: req, conn: q.open(0)}
	p.conn.leave()
	p.call, p.err = p.conn.begin(within(t), req)
	close(h.release)
	if err := p.Wait(within(t), new(Response)); err != nil {
		t.Errorf("got %v, want an answer over a new connection", err)
	}
	if err := <-underWay; err != nil {
		t.Errorf("the call before: %v", err)
	}
	if s := client.Stats(); s.Retries != 1 || s.Dials != 2 {
		t.Errorf("%d retries and %d dials, want 1 and 2", s.Retries, s.Dials)
	}
}
