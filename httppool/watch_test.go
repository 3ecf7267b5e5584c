package httppool

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestIdleConnectionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, dial, _ := gated(t, Config{Handler: echoFast})
		client := newPool(t, Config{Dial: dial, IdleTimeout: time.Minute})
		q := client.Peer("a")
		for range 5 { // used again and again: it stays
			checkEcho(t, q, "", Request{})
			time.Sleep(50 * time.Second)
		}
		if got := client.Stats().Dials; got != 1 {
			t.Errorf("got %d dials, want 1", got)
		}
		time.Sleep(15 * time.Second)
		if out, in := client.Stats().ConnsOut, server.Stats().ConnsIn; out != 0 || in != 0 {
			t.Errorf("after a minute without calls %d and %d ends are open, want none", out, in)
		}
		checkEcho(t, q, "", Request{}) // and no backoff after it
	})
}

func TestServerClosesIdleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, dial, _ := gated(t, Config{Handler: echoFast, IdleTimeout: time.Minute})
		client := newPool(t, Config{Dial: dial, IdleTimeout: time.Hour})
		checkEcho(t, client.Peer("a"), "", Request{})
		time.Sleep(119 * time.Second)
		if got := server.Stats().ConnsIn; got != 1 {
			t.Errorf("before twice the idle time %d connections are open, want 1", got)
		}
		time.Sleep(3 * time.Second)
		if got := server.Stats().ConnsIn; got != 0 {
			t.Errorf("after twice the idle time %d connections are open, want 0", got)
		}
	})
}

// TestSilentPeer stops a peer as SIGSTOP would: bytes are taken, nothing comes back.
func TestSilentPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial, gates := gated(t, Config{Handler: echoFast})
		client := newPool(t, Config{Dial: dial})
		q := client.Peer("a")
		checkEcho(t, q, "", Request{})
		g := <-gates
		synctest.Wait() // the server reads
		g.stop()
		checkEcho(t, q, "", Request{}) // the read that was under way
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		wantCallError(t, q.Call(ctx, new(Request), new(Response)), context.DeadlineExceeded, true)
		if took := time.Since(start); took != time.Second {
			t.Errorf("the call failed after %v, want its deadline of 1s", took)
		}
		// This one still waits to be written when the connection is dropped, so it
		// moves to a new one.
		checkEcho(t, q, "", Request{})
		if s := client.Stats(); s.Dials != 2 || s.Retries != 1 {
			t.Errorf("got %d dials and %d retries, want 2 and 1", s.Dials, s.Retries)
		}
		if took := time.Since(start); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("the connection was dropped after %v, want the 10s of SilenceTimeout", took)
		}
	})
}

// TestSlowHandlerIsNotSilence keeps a call waiting for longer than SilenceTimeout on a
// connection that lives.
func TestSlowHandlerIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHold()
		_, dial, _ := gated(t, Config{Handler: h})
		q := newPool(t, Config{Dial: dial}).Peer("a")
		result := make(chan error)
		go func() { result <- q.Call(t.Context(), new(Request), new(Response)) }()
		<-h.entered
		time.Sleep(time.Hour)
		close(h.release)
		if err := <-result; err != nil {
			t.Errorf("got %v, want the answer after an hour", err)
		}
	})
}

// TestCallerThatDoesNotRead floods a server with calls for large answers and reads none:
// what waits stays bounded, and the server drops the connection.
func TestCallerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const concurrent = 100
		server := newPool(t, Config{Handler: benchHandler{make([]byte, 1<<20)}, MaxConcurrent: concurrent})
		mem := newMemNet()
		serveOn(t, server, mem)
		for _, size := range []uint64{20_000, 1 << 20} {
			for op := range uint8(2) {
				o, err := newPool(t, Config{Dial: mem.Dial}).open(t.Context(), "a", "", pathPeer, nil)
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					for id := uint32(0); err == nil; id++ {
						_, err = o.conn.Write(appendRequest(nil, id, &Request{Op: op, Arg: size}, 0))
					}
				}()
				time.Sleep(time.Second)
				c := onlyServeConn(t, server)
				c.mu.Lock()
				if len(c.buf) > 2*bufferMax || len(c.large) > maxLarge {
					t.Errorf("%d bytes and %d large answers wait", len(c.buf), len(c.large))
				}
				c.mu.Unlock()
				if n := runtime.NumGoroutine(); n > concurrent+50 {
					t.Errorf("%d goroutines run, want about %d", n, concurrent)
				}
				time.Sleep(11 * time.Second)
				if got := server.Stats().ConnsIn; got != 0 {
					t.Errorf("size %d, op %d: %d connections are open, want the caller dropped", size, op, got)
				}
				o.conn.Close()
			}
		}
	})
}

// onlyServeConn returns the one connection that p serves.
func onlyServeConn(t *testing.T, p *Pool) *serveConn {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if c, ok := c.(*serveConn); ok {
			return c
		}
	}
	t.Fatal("no connection is served")
	return nil
}
