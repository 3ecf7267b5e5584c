package httppool

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

const testPatience = 200 * time.Millisecond

// stopped returns a peer that was stopped after one answer, and what makes it go on.
func stopped(t *testing.T, cfg Config) (q *Peer, resume func()) {
	t.Helper()
	_, dial, gates := gated(t, cfg)
	q = newPool(t, Config{Dial: dial, Patience: testPatience}).Peer("a")
	checkEcho(t, q, "", Request{})
	g := <-gates
	synctest.Wait() // the server reads
	g.stop()
	checkEcho(t, q, "", Request{}) // the read that was under way
	return q, g.open
}

// TestSilentPeerIsFound: idempotent calls end within Patience, and at once until the
// peer says something; others wait for its answer. So after a time without calls, too.
func TestSilentPeerIsFound(t *testing.T) {
	for _, unused := range []time.Duration{0, time.Minute + 100*time.Millisecond} {
		synctest.Test(t, func(t *testing.T) { findSilent(t, unused) })
	}
}

func findSilent(t *testing.T, unused time.Duration) {
	q, resume := stopped(t, Config{Handler: echoFast})
	time.Sleep(unused)
	start := time.Now()
	patient, idempotent := make(chan error, 1), make(chan error, 1)
	go func() { idempotent <- q.Call(t.Context(), &Request{Idempotent: true}, new(Response)) }()
	synctest.Wait()
	go func() { patient <- q.Call(t.Context(), new(Request), new(Response)) }()
	wantCallError(t, <-idempotent, ErrSilent, true)
	if took := time.Since(start); took < testPatience/2 || took > testPatience*3/2 {
		t.Errorf("the peer was found silent after %v, want about %v", took, testPatience)
	}
	start = time.Now()
	wantCallError(t, q.Call(t.Context(), &Request{Idempotent: true}, new(Response)), ErrSilent, false)
	wantCallError(t, q.Call(t.Context(), new(Request), new(Response)), ErrSilent, false)
	wantCallError(t, q.Ping(t.Context()), ErrSilent, false)
	if took := time.Since(start); took != 0 {
		t.Errorf("a call to a silent peer took %v", took)
	}
	resume()
	if err := <-patient; err != nil {
		t.Errorf("the call that waited ended with %v", err)
	}
	checkEcho(t, q, "", Request{Idempotent: true})
	if err := q.Ping(t.Context()); err != nil {
		t.Errorf("Ping of a peer that goes on: %v", err)
	}
	if c := q.places[0].conn.Load(); c.inflight != 0 || c.unanswered != 0 {
		t.Errorf("%d calls and %d bytes are not free", c.inflight, c.unanswered)
	}
}

// TestFewLooksWhileNobodyWaits: a connection without calls is looked at once a second, one with
// a call under way, and a dial, several times in Patience.
func TestFewLooksWhileNobodyWaits(t *testing.T) {
	looks := func(what func(t *testing.T, q *Peer, h *hold)) (n int) {
		synctest.Test(t, func(t *testing.T) {
			h := newHold()
			_, dial, _ := gated(t, Config{Handler: h})
			p := newPool(t, Config{Patience: testPatience, Dial: func(ctx context.Context, addr string) (net.Conn, error) {
				if addr != "a" {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return dial(ctx, addr)
			}})
			what(t, p.Peer("a"), h)
			close(h.release)
			p.Close()
			n = p.watching.looks
		})
		return n
	}
	idle := looks(func(*testing.T, *Peer, *hold) { time.Sleep(20 * time.Second) })
	if idle < 19 || idle > 21 {
		t.Errorf("%d looks in 20 s without calls", idle)
	}
	waits := looks(func(t *testing.T, q *Peer, h *hold) {
		time.Sleep(10*time.Second + 100*time.Millisecond)
		go q.Call(t.Context(), &Request{Idempotent: true}, new(Response))
		<-h.entered
		time.Sleep(10 * time.Second)
	})
	if least := int(10 * time.Second / (testPatience / watchSteps)); waits < least || waits > least+12 {
		t.Errorf("%d looks in 10 s without calls and 10 s with one", waits)
	}
	dials := looks(func(t *testing.T, q *Peer, _ *hold) {
		time.Sleep(10*time.Second + 100*time.Millisecond)
		elsewhere := newPeer(q.pool, "hangs")
		wantCallError(t, elsewhere.Call(t.Context(), new(Request), new(Response)), ErrSilent, false)
		elsewhere.close(ErrClosed)
	})
	if least := 10 + watchSteps - 1; dials < least || dials > least+2 {
		t.Errorf("%d looks in 10 s without calls and while a dial hangs, want %d or so", dials, least)
	}
}

// TestSilentPeerIsDialled: once its connection was given up, a silent peer is dialled,
// but no call waits for that.
func TestSilentPeerIsDialled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := stopped(t, Config{Handler: echoFast})
		wantCallError(t, q.Call(t.Context(), &Request{Idempotent: true}, new(Response)), ErrSilent, true)
		time.Sleep(12 * time.Second) // SilenceTimeout is 10 s
		wantCallError(t, q.Call(t.Context(), new(Request), new(Response)), ErrSilent, false)
		synctest.Wait()
		checkEcho(t, q, "", Request{}) // over a new one, which the gate does not stop
	})
}

// TestSilentDial: nobody waits longer than Patience for a dial that hangs, and it ends
// well for those who come when it is done.
func TestSilentDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial, _ := gated(t, Config{Handler: echoFast})
		open := make(chan struct{})
		q := newPool(t, Config{Patience: testPatience, Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			<-open
			return dial(ctx, addr)
		}}).Peer("a")
		start := time.Now()
		for i := range 3 {
			err := q.Call(t.Context(), new(Request), new(Response))
			wantCallError(t, err, ErrSilent, false)
			if took := time.Since(start); took != testPatience {
				t.Errorf("call %d ended %v after the dial began, want %v", i, took, testPatience)
			}
		}
		close(open)
		synctest.Wait()
		checkEcho(t, q, "", Request{})
	})
}

// TestNobodyLooked: time in which this process did not look counts little, and that in which
// nobody waited not at all.
func TestNobodyLooked(t *testing.T) {
	const every = testPatience / watchSteps
	now := time.Now()
	for _, c := range []struct {
		since          time.Duration
		drowsy, roused bool
		want           time.Duration
	}{
		{every, false, false, every},
		{time.Hour, false, false, 2 * every},
		{time.Hour, true, false, every},
		{2 * every, false, true, every},
	} {
		w := watching{every: every, last: now.Add(-c.since)}
		w.drowsy.Store(c.drowsy)
		w.roused.Store(c.roused)
		w.look(now)
		if w.step != c.want || !w.last.Equal(now) || w.drowsy.Load() || w.roused.Load() {
			t.Errorf("after %v, drowsy %v, roused %v: the step is %v, want %v", c.since, c.drowsy, c.roused, w.step, c.want)
		}
	}
}

// TestLivingPeerIsNotSilent: not while a handler takes long.
func TestLivingPeerIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHold()
		_, dial, _ := gated(t, Config{Handler: h})
		q := newPool(t, Config{Dial: dial, Patience: testPatience}).Peer("a")
		result := make(chan error)
		go func() { result <- q.Call(t.Context(), &Request{Idempotent: true}, new(Response)) }()
		<-h.entered
		time.Sleep(time.Minute)
		if q.silent() {
			t.Error("the peer passes for silent while its handler takes long")
		}
		close(h.release)
		if err := <-result; err != nil {
			t.Errorf("got %v, want the answer after a minute", err)
		}
	})
}
