package httppool

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestConfigErrorsNameTheField(t *testing.T) {
	for field, cfg := range map[string]Config{
		"Self":           {Self: strings.Repeat("x", MaxSelf+1)},
		"MaxKey":         {MaxKey: maxMaxKey + 1},
		"MaxValue":       {MaxValue: -1},
		"ConnsPerPeer":   {ConnsPerPeer: -1},
		"MaxConcurrent":  {MaxConcurrent: -1},
		"MaxConns":       {MaxConns: -1},
		"DialTimeout":    {DialTimeout: -1},
		"IdleTimeout":    {IdleTimeout: -1},
		"SilenceTimeout": {SilenceTimeout: -1},
		"BackoffMin":     {BackoffMin: -1},
		"BackoffMax":     {BackoffMax: -1},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "Config."+field) {
			t.Errorf("%s: got %v, want an error that names it", field, err)
		}
	}
}

func TestCloseWhileCalling(t *testing.T) {
	for range 10 {
		server, addr := serverPool(t, Config{Handler: echoSlow})
		client := newPool(t, Config{ConnsPerPeer: 2, BackoffMin: time.Nanosecond, BackoffMax: time.Nanosecond})
		q := client.Peer(addr)
		var wg sync.WaitGroup
		started := make(chan struct{}, 64)
		for i := range 32 {
			wg.Go(func() {
				for n := 0; ; n++ {
					err := q.Call(context.Background(), &Request{Value: make([]byte, i*4000)}, new(Response))
					if n == 0 {
						started <- struct{}{}
					}
					if errors.Is(err, ErrClosed) {
						return
					}
				}
			})
		}
		for range 32 {
			<-started
		}
		server.Close() // the calls fail in other ways first
		client.Close()
		wg.Wait()
		wantCallError(t, q.Call(context.Background(), new(Request), new(Response)), ErrClosed, false)
		wantCallError(t, client.Peer("other").Call(context.Background(), new(Request), new(Response)), ErrClosed, false)
		client.Close() // twice is fine
	}
}

func TestForget(t *testing.T) {
	h := newHold()
	_, addr := serverPool(t, Config{Handler: h})
	client := newPool(t, Config{})
	q := client.Peer(addr)
	if client.Peer(addr) != q {
		t.Error("Peer returned two handles for one address")
	}
	result := make(chan error)
	go func() { result <- q.Call(within(t), new(Request), new(Response)) }()
	<-h.entered
	client.Forget(addr)
	client.Forget("never known")
	wantCallError(t, <-result, ErrConnLost, true)
	wantCallError(t, q.Call(within(t), new(Request), new(Response)), ErrUnreachable, false)
	if got := client.Stats().ConnsOut; got != 0 {
		t.Errorf("%d connections are open, want 0", got)
	}
	go func() { result <- client.Peer(addr).Call(within(t), new(Request), new(Response)) }()
	<-h.entered
	close(h.release)
	if err := <-result; err != nil {
		t.Errorf("a new handle: %v", err)
	}
}

func TestDrain(t *testing.T) {
	h := newHold()
	server, addr := serverPool(t, Config{Handler: h})
	client := newPool(t, Config{})
	result := make(chan error)
	go func() { result <- client.Peer(addr).Call(within(t), new(Request), new(Response)) }()
	<-h.entered

	short, cancel := context.WithCancel(context.Background())
	cancel()
	if err := server.Drain(short); !errors.Is(err, context.Canceled) {
		t.Errorf("Drain with a call under way: got %v, want its context's error", err)
	}
	eventually(t, "new calls are refused", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		err := client.Peer(addr).Call(ctx, new(Request), new(Response))
		return errors.Is(err, ErrRefused) && errors.Is(err, ErrDraining) && !errors.Is(err, ErrMismatch)
	})
	close(h.release)
	if err := <-result; err != nil {
		t.Errorf("the call under way: %v, want its answer", err)
	}
	if err := server.Drain(within(t)); err != nil {
		t.Errorf("Drain: %v", err)
	}
	if got := server.Stats().ConnsIn; got != 0 {
		t.Errorf("%d connections are open after Drain, want 0", got)
	}
}

// TestDrainUnderLoad drains while calls stream in: none may fail as perhaps applied.
func TestDrainUnderLoad(t *testing.T) {
	server, addr := serverPool(t, Config{Handler: echoSlow})
	q := newPool(t, Config{}).Peer(addr)
	var wg sync.WaitGroup
	started := make(chan struct{}, 16)
	for range 16 {
		wg.Go(func() {
			for n := 0; ; n++ {
				err := q.Call(within(t), &Request{Key: "k"}, new(Response))
				if n == 0 {
					started <- struct{}{}
				}
				if err != nil {
					wantCallError(t, err, ErrRefused, false)
					return
				}
			}
		})
	}
	for range 16 {
		<-started
	}
	if err := server.Drain(within(t)); err != nil {
		t.Errorf("Drain: %v", err)
	}
	wg.Wait()
}
