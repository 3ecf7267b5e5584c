package httppool

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestCarrierEndsWithItsConnection, and the other way round: no caller is left waiting.
func TestCarrierEndsWithItsConnection(t *testing.T) {
	for name, which := range map[string]func(*tied) *gate{
		"first": func(p *tied) *gate { return p.main }, "carrier": func(p *tied) *gate { return p.carrier },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := tiedPair(t, Config{})
				p.carrier.stop()
				failed := make(chan error, 1)
				go func() { failed <- p.q.Call(t.Context(), &Request{Arg: 1 << 20}, new(Response)) }()
				synctest.Wait()
				which(p).Close()
				wantCallError(t, <-failed, ErrConnLost, true)
				synctest.Wait()
				if out, in := p.client.Stats().ConnsOut, p.server.Stats().ConnsIn; out != 0 || in != 0 {
					t.Errorf("%d connections are open here and %d there, want none", out, in)
				}
				time.Sleep(time.Minute) // beyond backoffs and pauses
				p.get(t, 1<<20)
				p.get(t, 1<<20)
				synctest.Wait()
				if c := p.q.places[1].conn.Load(); c == nil || c.carries != p.q.places[0].conn.Load() {
					t.Error("the next connection has no carrier")
				}
			})
		})
	}
}

// lossy is an end of a connection whose writes are lost.
type lossy struct{ net.Conn }

func (lossy) Write(p []byte) (int, error) { return len(p), nil }

// TestCarrierThatSaysNothing: a cut that only the carrier suffers ends the calls whose
// answers are on it.
func TestCarrierThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tiedPair(t, Config{SilenceTimeout: 10 * time.Second})
		p.carrierServe.Conn = lossy{p.carrierServe.Conn}
		failed, ctx := make(chan error, 1), t.Context()
		began := time.Now()
		go func() { failed <- p.q.Call(ctx, &Request{Arg: 1 << 20}, new(Response)) }()
		for range 8 {
			time.Sleep(time.Second)
			p.get(t, 128) // the first connection lives
		}
		synctest.Wait()
		wantCallError(t, <-failed, ErrConnLost, true)
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("after %v, want SilenceTimeout or little more", took)
		}
	})
}

// TestServingEndsOfTiedConnections end together, whichever the caller closes.
func TestServingEndsOfTiedConnections(t *testing.T) {
	for _, which := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, Config{Handler: echoFast})
			var near [2]net.Conn
			for i, o := range []opened{{nonce: []byte("first")}, {nonce: []byte("second"), carries: []byte("first")}} {
				near[i], o.conn = net.Pipe()
				defer near[i].Close()
				go p.serve(o, "pipe")
				synctest.Wait()
			}
			if got := p.Stats().ConnsIn; got != 2 {
				t.Fatalf("%d connections, want 2", got)
			}
			near[which].Close()
			synctest.Wait()
			if got := p.Stats().ConnsIn; got != 0 {
				t.Errorf("%d connections after one of two was closed, want none", got)
			}
		})
	}
}

// TestIdleTimeOfTiedConnections: what one of them does keeps both.
func TestIdleTimeOfTiedConnections(t *testing.T) {
	for name, call := range map[string]func(*testing.T, *tied){
		"small": func(t *testing.T, p *tied) { p.get(t, 128) },
		"large": func(t *testing.T, p *tied) {
			if err := p.set(t, 1<<20); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := tiedPair(t, Config{IdleTimeout: time.Minute})
				for range 60 {
					time.Sleep(20 * time.Second)
					call(t, p)
				}
				if s := p.client.Stats(); s.Dials != 2 || s.ConnsOut != 2 {
					t.Errorf("%d dials and %d connections, want 2 and 2", s.Dials, s.ConnsOut)
				}
				time.Sleep(2 * time.Minute)
				if s := p.client.Stats(); s.ConnsOut != 0 || s.CallErrors != 0 {
					t.Errorf("%d connections and %d errors after the idle time, want none", s.ConnsOut, s.CallErrors)
				}
			})
		})
	}
}

// TestDrainOfTiedConnections: both stay until all calls over either are answered.
func TestDrainOfTiedConnections(t *testing.T) {
	for name, which := range map[string]func(*tied) *gate{
		"answers": func(p *tied) *gate { return p.carrier }, "requests": func(p *tied) *gate { return p.carrierServe },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := tiedPair(t, Config{})
				which(p).stop()
				var calls sync.WaitGroup
				for range 8 {
					calls.Go(func() { p.get(t, 1<<20) })
					calls.Go(func() {
						if err := p.set(t, 1<<20); err != nil {
							t.Error(err)
						}
					})
				}
				synctest.Wait()
				drained := make(chan error, 1)
				go func() { drained <- p.server.Drain(t.Context()) }()
				synctest.Wait()
				which(p).open()
				calls.Wait()
				if err := <-drained; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestCarrierHasNoCarrier: a peer names a carrier as the connection that another one is
// to be the carrier of. That one stands alone.
func TestCarrierHasNoCarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, Config{Handler: echoFast})
		var near [3]net.Conn
		for i, o := range []opened{{nonce: []byte("first")}, {nonce: []byte("second"), carries: []byte("first")},
			{nonce: []byte("third"), carries: []byte("second")}} {
			near[i], o.conn = net.Pipe()
			defer near[i].Close()
			go p.serve(o, "pipe")
			synctest.Wait()
		}
		near[2].Close()
		synctest.Wait()
		if got := p.Stats().ConnsIn; got != 2 {
			t.Errorf("%d connections after the third was closed, want the two that are tied", got)
		}
	})
}
