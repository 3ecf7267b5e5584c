package httppool

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// tied is a caller whose first connection has a carrier, in memory. The gates are the
// ends that may be kept from reading.
type tied struct {
	server, client *Pool
	q              *Peer
	// The calling ends of both connections, and the serving ones.
	main, carrier             *gate
	mainServing, carrierServe *gate
}

// tiedPair must be called in a bubble. Calls are answered with Arg bytes, and with the
// number of those that came as the version.
func tiedPair(t *testing.T, cfg Config) *tied {
	t.Helper()
	large := make([]byte, 1<<20)
	if cfg.Handler == nil {
		cfg.Handler = handlerFuncs{
			fast: func(_ string, req *Request, resp *Response) bool {
				resp.Value, resp.Version = large[:req.Arg], uint64(len(req.Value))
				return true
			},
			slow: func(_ context.Context, _ string, req *Request, resp *Response) { resp.Version = uint64(len(req.Value)) },
		}
	}
	server, dial, gates := gated(t, cfg)
	var mu sync.Mutex
	var ends []*gate
	cfg.Handler = nil
	cfg.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
		c, err := dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		g := newGate(c)
		mu.Lock()
		ends = append(ends, g)
		mu.Unlock()
		return g, nil
	}
	p := &tied{server: server, client: newPool(t, cfg)}
	p.q = p.client.Peer("a")
	p.get(t, carryFrom+1)
	synctest.Wait()
	if len(ends) != 2 || p.q.places[1].conn.Load() == nil || p.q.places[1].conn.Load().carries == nil {
		t.Fatalf("%d connections, want the first and its carrier", len(ends))
	}
	p.main, p.carrier = ends[0], ends[1]
	p.mainServing, p.carrierServe = <-gates, <-gates
	return p
}

// get gets a value of a size.
func (p *tied) get(t *testing.T, size int) {
	t.Helper()
	var resp Response
	if err := p.q.Call(t.Context(), &Request{Arg: uint64(size)}, &resp); err != nil || len(resp.Value) != size {
		t.Errorf("%d bytes, %v; want %d", len(resp.Value), err, size)
	}
}

// set sends a value of a size.
func (p *tied) set(t *testing.T, size int) error {
	var resp Response
	err := p.q.Call(t.Context(), &Request{Value: make([]byte, size)}, &resp)
	if err == nil && resp.Version != uint64(size) {
		t.Errorf("%d bytes arrived, want %d", resp.Version, size)
	}
	return err
}

// TestSmallCallsDoNotWaitForLargeAnswers: more of these wait than may be in line.
func TestSmallCallsDoNotWaitForLargeAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tiedPair(t, Config{})
		p.carrier.stop()
		var large sync.WaitGroup
		for range 2 * maxLarge {
			large.Go(func() { p.get(t, 1<<20) })
		}
		synctest.Wait()
		p.get(t, 128)
		p.get(t, inlineMax+1)
		if got := p.q.places[0].conn.Load().inflight; got != 2*maxLarge {
			t.Errorf("%d calls are under way, want %d", got, 2*maxLarge)
		}
		p.carrier.open()
		large.Wait()
		synctest.Wait()
		if s := p.client.Stats(); s.ConnsOut != 2 || s.CallErrors != 0 {
			t.Errorf("%d connections, %d errors", s.ConnsOut, s.CallErrors)
		}
	})
}

// TestSmallCallsDoNotWaitForLargeRequests that the peer does not take in.
func TestSmallCallsDoNotWaitForLargeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tiedPair(t, Config{})
		p.carrierServe.stop()
		var large sync.WaitGroup
		for range 16 {
			large.Go(func() {
				if err := p.set(t, 1<<20); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		p.get(t, 128)
		if err := p.set(t, inlineMax+1); err != nil {
			t.Error(err)
		}
		p.carrierServe.open()
		large.Wait()
	})
}

// TestSmallCallsKeepOff the carrier while large values move, and use it again later.
func TestSmallCallsKeepOff(t *testing.T) {
	_, addr := serverPool(t, Config{Handler: benchHandler{make([]byte, 1<<20)}})
	q := newPool(t, Config{}).Peer(addr)
	callMany(t, q, bulkyFrom*2)
	eventually(t, "the second connection is open", func() bool { callMany(t, q, bulkyFrom*2); return q.places[1].conn.Load() != nil })
	elsewhere := func() (n int64) {
		var there atomic.Int64
		var wg sync.WaitGroup
		hold := make(chan struct{})
		for range 100 {
			wg.Go(func() {
				if q.open(0) != q.places[0].conn.Load() {
					there.Add(1)
				}
				<-hold // so that no two share a stack
			})
		}
		close(hold)
		wg.Wait()
		return there.Load()
	}
	q.hauled.Store(time.Now().Add(time.Hour).UnixNano())
	if got := elsewhere(); got != 0 {
		t.Errorf("%d of 100 small calls go over the carrier while large values move", got)
	}
	q.hauled.Store(time.Now().Add(-2 * haulFor).UnixNano())
	eventually(t, "calls are spread again", func() bool { return elsewhere() > 0 })
}

// TestAbandonedAnswerOnTheCarrier frees its slot when its last byte came.
func TestAbandonedAnswerOnTheCarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tiedPair(t, Config{})
		p.carrier.stop()
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- p.q.Call(ctx, &Request{Arg: 1 << 20}, new(Response)) }()
		synctest.Wait()
		cancel()
		wantCallError(t, <-result, context.Canceled, true)
		p.carrier.open()
		synctest.Wait()
		if c := p.q.places[0].conn.Load(); c.busy() {
			t.Error("its slot is not free")
		}
		p.get(t, 1<<20)
	})
}

// TestPeerThatKnowsNoCarriers: it takes the second connection for any other.
func TestPeerThatKnowsNoCarriers(t *testing.T) {
	server := newPool(t, Config{Handler: benchHandler{make([]byte, 1<<20)}})
	ln, addr := listen(t)
	asked := make(chan struct{}, 1)
	serveOn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(headerCarries) != "" {
			asked <- struct{}{}
			r.Header.Del(headerCarries)
		}
		server.ServeHTTP(w, r)
	}), ln)
	q := newPool(t, Config{}).Peer(addr)
	callMany(t, q, 200_000)
	<-asked
	eventually(t, "the second connection is open", func() bool { return q.places[1].conn.Load() != nil })
	callMany(t, q, 200_000)
	var resp Response
	if err := q.Call(within(t), &Request{Op: 1, Value: make([]byte, 200_000), Arg: 200_000}, &resp); err != nil || len(resp.Value) != 200_000 {
		t.Errorf("%d bytes, %v", len(resp.Value), err)
	}
	if c := q.places[1].conn.Load(); c.carries != nil || q.places[0].conn.Load().carrier.Load() != nil {
		t.Error("the connections are tied though the peer did not say so")
	}
}

// TestCarrierOfAnotherCaller: nobody is tied to a connection that is not its own.
func TestCarrierOfAnotherCaller(t *testing.T) {
	server, addr := serverPool(t, Config{Handler: benchHandler{make([]byte, 1<<20)}})
	victim, other := newPool(t, Config{Self: "victim"}), newPool(t, Config{Self: "other"})
	callMany(t, victim.Peer(addr), 1)
	nonce := victim.Peer(addr).places[0].conn.Load().nonce
	o, err := other.open(within(t), addr, "", pathPeer, nonce)
	if err != nil {
		t.Fatal(err)
	}
	defer o.conn.Close()
	if len(o.carries) != 0 {
		t.Error("the server confirmed it")
	}
	o.conn.Write(appendHeader(nil, framePing, 0, 0))
	eventually(t, "both are served", func() bool { return server.Stats().ConnsIn == 2 })
	callMany(t, victim.Peer(addr), 1)
	if server.carriedBy(nonce, "victim").mate() != nil {
		t.Error("the connections are tied")
	}
}

// TestTiedConnectionsUnderLoad: values of all sizes in both directions, some of whose
// callers leave, arrive as they were sent.
func TestTiedConnectionsUnderLoad(t *testing.T) {
	_, addr := serverPool(t, Config{Handler: echoFast})
	client := newPool(t, Config{})
	q := client.Peer(addr)
	sizes := []int{0, 100, inlineMax, inlineMax + 1, carryFrom, carryFrom + 1, 3 * carryFrom, 1 << 20}
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			value := make([]byte, 1<<20)
			for j := range value {
				value[j] = byte(i + j/251)
			}
			for round := range 12 {
				size := sizes[(i+round)%len(sizes)]
				ctx, cancel := context.WithTimeout(within(t), time.Hour)
				if round%5 == 4 {
					time.AfterFunc(time.Duration(i*50)*time.Microsecond, cancel)
				}
				var resp Response
				err := q.Call(ctx, &Request{Key: "k", Value: value[:size]}, &resp)
				switch {
				case err != nil && ctx.Err() == nil:
					t.Error(err)
				case err == nil && resp.Status != StatusCancelled && !bytes.Equal(resp.Value, value[:size]):
					t.Errorf("%d bytes came back as %d others", size, len(resp.Value))
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if c := q.places[1].conn.Load(); c == nil || c.carries == nil {
		t.Error("no connection was tied")
	}
	eventually(t, "no call is under way", func() bool { return !q.places[0].conn.Load().busy() && !q.places[1].conn.Load().busy() })
	if s := client.Stats(); len(s.BadFrames) != 0 || s.Dials != 2 {
		t.Errorf("%d dials, bad frames %v", s.Dials, s.BadFrames)
	}
}
