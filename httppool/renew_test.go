package httppool

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRenewEndsTheBackoff: what is at the address now is not what could not be dialled.
func TestRenewEndsTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := newMemNet()
		serveOn(t, newPool(t, Config{Self: "b#2", Handler: echoFast}), mem)
		var up atomic.Bool
		client := newPool(t, Config{Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			if !up.Load() {
				return nil, errors.New("nobody there")
			}
			return mem.Dial(ctx, addr)
		}})
		client.Renew("b", "b#1") // no peer yet: nothing to do
		q := client.Peer("b")
		for range 100 { // until the wait is at its longest
			q.Call(t.Context(), new(Request), new(Response))
			time.Sleep(100 * time.Millisecond)
		}
		for q.places[0].back.wait(time.Now()) == nil {
			q.Call(t.Context(), new(Request), new(Response))
		}
		up.Store(true)
		wantCallError(t, q.Call(t.Context(), new(Request), new(Response)), ErrUnreachable, false)
		client.Renew("b", "b#2")
		start := time.Now()
		if err := q.Call(t.Context(), new(Request), new(Response)); err != nil || time.Since(start) > 0 {
			t.Errorf("after Renew: got %v after %v, want an answer at once", err, time.Since(start))
		}
	})
}

// TestRenewBeginsADialAnew: one that was begun towards the former run may wait for it in vain.
func TestRenewBeginsADialAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := newMemNet()
		serveOn(t, newPool(t, Config{Self: "b#2", Handler: echoFast}), mem)
		var dials atomic.Int64
		client := newPool(t, Config{Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			if dials.Add(1) == 1 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return mem.Dial(ctx, addr)
		}})
		start := time.Now()
		result := make(chan error)
		go func() { result <- client.Peer("b").Call(t.Context(), new(Request), new(Response)) }()
		synctest.Wait()
		client.Renew("b", "b#2")
		if err := <-result; err != nil || time.Since(start) > 0 || dials.Load() != 2 {
			t.Errorf("got %v after %v and %d dials, want an answer at once by the second", err, time.Since(start), dials.Load())
		}
	})
}

// TestRenewLeavesTheFormerRun: calls to a run that is gone do not wait until its silence is noticed.
func TestRenewLeavesTheFormerRun(t *testing.T) {
	ln, addr := listen(t)
	h := newHold()
	stop := serveOn(t, newPool(t, Config{Self: "b#1", Handler: h}), ln)
	client := newPool(t, Config{})
	q := client.Peer(addr)
	result := make(chan error, 1)
	go func() { result <- q.Call(within(t), &Request{Key: "k"}, new(Response)) }()
	<-h.entered

	client.Renew(addr, "b#1") // it is the one that answers
	if open := client.Stats().ConnsOut; open != 1 {
		t.Fatalf("%d connections to the member that is there, want the one that was", open)
	}
	stop()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skip("the port was taken meanwhile:", err)
	}
	serveOn(t, newPool(t, Config{Self: "b#2", Handler: echoFast}), ln)
	client.Renew(addr, "b#2")
	wantCallError(t, <-result, ErrConnLost, true)
	checkEcho(t, q, "", Request{Key: "k"})
}

// TestAPeerThatConnectsIsThere: its connection ends the backoff of dials to its host.
func TestAPeerThatConnectsIsThere(t *testing.T) {
	ln, addr := listen(t)
	ln.Close()
	server, serverAddr := serverPool(t, Config{Handler: echoFast, BackoffMin: time.Hour, BackoffMax: time.Hour})
	q := server.Peer(addr)
	wantCallError(t, q.Call(within(t), new(Request), new(Response)), ErrUnreachable, false)
	again, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skip("the port was taken meanwhile:", err)
	}
	back := newPool(t, Config{Handler: echoFast})
	serveOn(t, back, again)
	wantCallError(t, q.Call(within(t), new(Request), new(Response)), ErrUnreachable, false)
	checkEcho(t, back.Peer(serverAddr), "", Request{Key: "k"})
	checkEcho(t, q, "", Request{Key: "k"})
}
