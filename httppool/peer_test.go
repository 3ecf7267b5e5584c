package httppool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCallRoundTrip(t *testing.T) {
	keys := []string{
		"", "a b", "/lead", "a//b", "a/../b", "..", "%2F", "a%00b", "nul\x00nul", "\xff\xfe\x80", "käse",
		strings.Repeat("k", DefaultMaxKey), "line\r\nfeed",
	}
	sizes := []int{0, 1, 128, inlineMax - 1, inlineMax, inlineMax + 1, chunkMax, chunkMax + 1, 3*growMin + 7}
	for name, h := range map[string]Handler{"fast": echoFast, "serve": echoSlow} {
		t.Run(name, func(t *testing.T) {
			_, addr := serverPool(t, Config{Self: "server", Handler: h})
			q := newPool(t, Config{Self: "cli\x00\xffent"}).Peer(addr)
			for i, key := range keys {
				for _, size := range sizes {
					req := Request{
						Op: 3, Flags: 0x81, View: 1 << 63, Group: "gr/o up\x00", Key: key,
						Value: bytes.Repeat([]byte{byte(i)}, size), TTL: time.Hour + 1, Arg: 1<<64 - 1,
					}
					checkEcho(t, q, "cli\x00\xffent", req)
				}
			}
			checkEcho(t, q, "cli\x00\xffent", Request{TTL: -5})
		})
	}
}

func checkEcho(t *testing.T, q *Peer, self string, req Request) {
	t.Helper()
	resp := Response{Status: 9, Message: "old", Value: []byte("old"), Lease: 4}
	if err := q.Call(within(t), &req, &resp); err != nil {
		t.Fatalf("key %q, %d bytes: %v", req.Key, len(req.Value), err)
	}
	want := Response{
		Status: req.Op, Flags: req.Flags, View: req.View, TTL: req.TTL, Version: req.Arg,
		Message: self + "\x00" + req.Group + "\x00" + req.Key,
	}
	want.Message = want.Message[:min(len(want.Message), maxMessage)]
	if !bytes.Equal(resp.Value, req.Value) || (len(req.Value) == 0) != (resp.Value == nil) {
		t.Fatalf("key %q: value of %d bytes came back as %d others", req.Key, len(req.Value), len(resp.Value))
	}
	resp.Value = nil
	if fmt.Sprintf("%+v", resp) != fmt.Sprintf("%+v", want) {
		t.Fatalf("got %+v, want %+v", resp, want)
	}
}

func TestCallTooLarge(t *testing.T) {
	_, addr := serverPool(t, Config{Handler: echoFast, MaxKey: 100, MaxValue: 1000})
	q := newPool(t, Config{}).Peer(addr)
	tests := map[string]Request{
		"group": {Group: strings.Repeat("g", 256)},
		"key":   {Key: strings.Repeat("k", 101)}, // the server's limit, told in the handshake
		"value": {Value: make([]byte, 1001)},
	}
	for field, req := range tests {
		err := q.Call(within(t), &req, new(Response))
		wantCallError(t, err, ErrTooLarge, false)
		var large *TooLargeError
		if !errors.As(err, &large) || large.Field != field || large.Size != large.Limit+1 {
			t.Errorf("got %v, want the %s over its limit by one", err, field)
		}
	}
	checkEcho(t, q, "", Request{Key: strings.Repeat("k", 100), Value: make([]byte, 1000)})
}

func TestAnswerTooLargeForTheCaller(t *testing.T) {
	_, addr := serverPool(t, Config{Handler: benchHandler{make([]byte, 1<<20)}})
	q := newPool(t, Config{MaxValue: 1000}).Peer(addr)
	var resp Response
	if err := q.Call(within(t), &Request{Arg: 1001}, &resp); err != nil || resp.Status != StatusTooLarge || resp.Message == "" {
		t.Errorf("got %+v, %v, want StatusTooLarge and why", resp, err)
	}
	if err := q.Call(within(t), &Request{Arg: 1000}, &resp); err != nil || len(resp.Value) != 1000 {
		t.Errorf("got %d bytes, %v, want 1000", len(resp.Value), err)
	}
}

func TestConcurrentCalls(t *testing.T) {
	mixed := handlerFuncs{
		fast: func(from string, req *Request, resp *Response) bool {
			if req.Op%2 == 0 {
				return false
			}
			echo(from, req, resp)
			return true
		},
		slow: echoSlow.slow,
	}
	server, addr := serverPool(t, Config{Handler: mixed, MaxConcurrent: 1 << 14})
	client := newPool(t, Config{})
	q := client.Peer(addr)
	const callers, each = 10_000, 3
	var wg sync.WaitGroup
	errs := make(chan error, callers)
	for i := range callers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(i)))
			for j := range each {
				size := rng.IntN(600)
				if rng.IntN(200) == 0 {
					size = rng.IntN(200_000)
				}
				req := Request{Op: uint8(i), Key: fmt.Sprint(i, j), Value: bytes.Repeat([]byte{byte(i)}, size)}
				var resp Response
				err := q.Call(context.Background(), &req, &resp)
				if err == nil && (resp.Message != "\x00\x00"+req.Key || !bytes.Equal(resp.Value, req.Value)) {
					err = fmt.Errorf("call %s got the answer %.20q of %d bytes, want %d", req.Key, resp.Message, len(resp.Value), size)
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Fatal(err)
	}
	if got := client.Stats().Calls; got != callers*each {
		t.Errorf("client counts %d calls, want %d", got, callers*each)
	}
	if s := server.Stats(); s.Served+s.ServedFast != callers*each || s.ConnsIn > DefaultConnsPerPeer {
		t.Errorf("server counts %d + %d calls on %d connections, want %d on at most two", s.Served, s.ServedFast, s.ConnsIn, callers*each)
	}
}

func TestPanickingHandler(t *testing.T) {
	boom := func(*Request) { panic("boom") }
	for name, h := range map[string]Handler{
		"fast":  handlerFuncs{fast: func(_ string, r *Request, _ *Response) bool { boom(r); return true }},
		"serve": handlerFuncs{slow: func(_ context.Context, _ string, r *Request, _ *Response) { boom(r) }},
	} {
		t.Run(name, func(t *testing.T) {
			server, addr := serverPool(t, Config{Handler: h})
			q := newPool(t, Config{}).Peer(addr)
			for range 2 {
				var resp Response
				if err := q.Call(within(t), new(Request), &resp); err != nil || resp.Status != StatusInternal {
					t.Errorf("got %+v, %v, want StatusInternal", resp, err)
				}
			}
			if s := server.Stats(); s.Panics != 2 || s.ConnsIn != 1 {
				t.Errorf("got %d panics on %d connections, want 2 on 1", s.Panics, s.ConnsIn)
			}
		})
	}
}

func TestOverloaded(t *testing.T) {
	h := newHold()
	server, addr := serverPool(t, Config{Handler: h, MaxConcurrent: 2})
	q := newPool(t, Config{}).Peer(addr)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if err := q.Call(within(t), &Request{Key: "k"}, new(Response)); err != nil {
				t.Error(err)
			}
		})
		<-h.entered
	}
	var resp Response
	if err := q.Call(within(t), new(Request), &resp); err != nil || resp.Status != StatusOverloaded {
		t.Errorf("got %+v, %v, want StatusOverloaded", resp, err)
	}
	if got := server.Stats().Overloaded; got != 1 {
		t.Errorf("server counts %d overloaded calls, want 1", got)
	}
	close(h.release)
	wg.Wait()
}

func TestCallAllocatesOnlyTheValue(t *testing.T) {
	_, addr := serverPool(t, Config{Handler: benchHandler{make([]byte, 128)}})
	q := newPool(t, Config{}).Peer(addr)
	req := Request{Group: "g", Key: "key", Arg: 128}
	var resp Response
	got := testing.AllocsPerRun(2000, func() {
		if err := q.Call(context.Background(), &req, &resp); err != nil {
			t.Fatal(err)
		}
	})
	if got > 1 && !raceEnabled {
		t.Errorf("a call made %v allocations at both ends together, want 1", got)
	}
}
