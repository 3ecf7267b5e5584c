package httppool

import (
	"context"
	"errors"
	"testing"
)

// One goroutine has several calls under way, and takes their answers in any order.
func TestStartedCallsAreUnderWayTogether(t *testing.T) {
	h := newHold()
	_, addr := serverPool(t, Config{Handler: h})
	q := newPool(t, Config{}).Peer(addr)
	ctx, cancel := context.WithCancel(context.Background())
	if _, ok := q.Start(ctx, &Request{Key: "k"}); ok {
		t.Fatal("a call was started without a connection")
	}
	first := make(chan error, 1)
	go func() { first <- q.Call(ctx, &Request{Key: "k"}, new(Response)) }() // connects
	<-h.entered
	var reqs [3]Request
	var pending [3]Pending
	for i := range pending {
		reqs[i] = Request{Key: "k"}
		var ok bool
		if pending[i], ok = q.Start(ctx, &reqs[i]); !ok {
			t.Fatal("a call was not started")
		}
		<-h.entered // while none of the others has ended
	}
	cancel()
	wantCallError(t, <-first, context.Canceled, true)
	for _, i := range []int{2, 0, 1} {
		wantCallError(t, pending[i].Wait(ctx, new(Response)), context.Canceled, true)
	}
	for range len(pending) + 1 {
		if err := <-h.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a handler's context ended with %v, want Canceled", err)
		}
	}
}

// What cannot be started says so when it is waited for.
func TestStartOfAnInvalidCall(t *testing.T) {
	_, addr := serverPool(t, Config{Handler: newHold()})
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	q := newPool(t, Config{MaxValue: 10}).Peer(addr)
	p, _ := q.Start(context.Background(), &Request{Value: make([]byte, 11)})
	wantCallError(t, p.Wait(context.Background(), new(Response)), ErrTooLarge, false)
	p, _ = q.Start(ended, &Request{})
	wantCallError(t, p.Wait(ended, new(Response)), context.Canceled, false)
}

// Ready waits for the answer, and takes nothing from Wait; it leaves with its own context.
func TestReady(t *testing.T) {
	h := newHold()
	_, addr := serverPool(t, Config{Handler: h})
	q := newPool(t, Config{}).Peer(addr)
	ctx, cancel := context.WithCancel(context.Background())
	go q.Call(ctx, &Request{Key: "k"}, new(Response)) // connects
	<-h.entered
	p, ok := q.Start(ctx, &Request{Key: "k"})
	if !ok {
		t.Fatal("the call was not started")
	}
	<-h.entered
	gone, leave := context.WithCancel(context.Background())
	leave()
	if p.Ready(gone, ctx) {
		t.Error("ready without an answer")
	}
	cancel()
	for range 2 { // it can be asked again
		if !p.Ready(context.Background(), ctx) {
			t.Error("not ready though the call's own context has ended")
		}
	}
	wantCallError(t, p.Wait(ctx, new(Response)), context.Canceled, true)
	p, _ = newPool(t, Config{MaxValue: 10}).Peer(addr).Start(gone, &Request{})
	if !p.Ready(gone, context.Background()) {
		t.Error("not ready though the call could not be started")
	}
	wantCallError(t, p.Wait(gone, new(Response)), context.Canceled, false)
	for range 2 {
		<-h.ended
	}
}
