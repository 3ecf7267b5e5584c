package meshtest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// Calls delays peer calls one by one: each request and each answer on its own,
// so that they overtake each other, which they do not on a connection.
type Calls struct {
	mu       sync.Mutex // guards the fields below
	rng      *rand.Rand
	min, max time.Duration
	hold     func(addr string, req *httppool.Request) time.Duration
	before   func(from, addr string, req *httppool.Request) time.Duration
}

func newCalls(seed uint64) *Calls { return &Calls{rng: rand.New(rand.NewPCG(seed, 0xca115))} }

// SetDelay delays requests and answers by a random time from now on.
func (c *Calls) SetDelay(min, max time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.min, c.max = min, max
}

// HoldAnswers asks f how much longer to hold the answer of each call; nil: not at all.
func (c *Calls) HoldAnswers(f func(addr string, req *httppool.Request) time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = f
}

// HoldRequests asks f how long to hold each call of a member before it is sent; nil: not at all.
// With less than 0 its caller hears nothing, and it is sent after so long.
func (c *Calls) HoldRequests(f func(from, addr string, req *httppool.Request) time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before = f
}

func (c *Calls) heldBefore(from, addr string, req *httppool.Request) time.Duration {
	c.mu.Lock()
	f := c.before
	c.mu.Unlock()
	if f == nil {
		return 0
	}
	return f(from, addr, req)
}

func (c *Calls) delay() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.max <= c.min {
		return c.min
	}
	return c.min + time.Duration(c.rng.Int64N(int64(c.max-c.min)))
}

func (c *Calls) held(addr string, req *httppool.Request) time.Duration {
	c.mu.Lock()
	f := c.hold
	c.mu.Unlock()
	if f == nil {
		return 0
	}
	return f(addr, req)
}

func (n network) WrapPeer(addr string, next seam.Caller) seam.Caller {
	return &slowCaller{n.calls, n.Name(), addr, next}
}

// A slowCaller calls a peer late and returns its answer late.
type slowCaller struct {
	calls *Calls
	from  string
	addr  string
	next  seam.Caller
}

func (s *slowCaller) Call(ctx context.Context, req *httppool.Request, resp *httppool.Response) error {
	before := s.calls.heldBefore(s.from, s.addr, req)
	if before < 0 {
		return s.deliverLate(ctx, req, -before)
	}
	if err := sleep(ctx, s.calls.delay()+before); err != nil {
		return &httppool.CallError{Addr: s.addr, Err: err}
	}
	extra := s.calls.held(s.addr, req)
	err := s.next.Call(ctx, req, resp)
	if late := sleep(ctx, s.calls.delay()+extra); late != nil && err == nil {
		return &httppool.CallError{Addr: s.addr, Sent: true, Err: late}
	}
	return err
}

// deliverLate sends a request after so long, whatever becomes of its caller, who hears nothing.
func (s *slowCaller) deliverLate(ctx context.Context, req *httppool.Request, after time.Duration) error {
	late := *req
	late.Group, late.Key, late.Value = strings.Clone(req.Group), strings.Clone(req.Key), bytes.Clone(req.Value)
	go func() {
		time.Sleep(after)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.next.Call(ctx, &late, new(httppool.Response))
	}()
	<-ctx.Done()
	return &httppool.CallError{Addr: s.addr, Sent: true, Err: ctx.Err()}
}

// Start starts a call at once where no delays are set, as it would without s.
func (s *slowCaller) Start(ctx context.Context, req *httppool.Request) (p httppool.Pending, ok bool) {
	s.calls.mu.Lock()
	delayed := s.calls.max > 0 || s.calls.hold != nil || s.calls.before != nil
	s.calls.mu.Unlock()
	if next, can := s.next.(*httppool.Peer); can && !delayed {
		return next.Start(ctx, req)
	}
	return p, false
}

func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
