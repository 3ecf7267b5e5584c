package hotcache_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// lateAnswers lets the answers to Gets reach a node late.
func lateAnswers(node int, late time.Duration, from *atomic.Bool) kit.Edit {
	return func(i int, o *cachemesh.Options) {
		if i != node {
			return
		}
		o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, _ string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
			err := next.Call(ctx, req, resp)
			if req.Op == wire.OpGet && from.Load() {
				time.Sleep(late)
			}
			return err
		}}
	}
}

// TestLateAnswersDoNotOutliveTheTTL: the TTL of a hot copy counts from when it was
// asked for, however long the answer was on its way.
func TestLateAnswersDoNotOutliveTheTTL(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const ttl, late = 2 * time.Second, 700 * time.Millisecond
		var on atomic.Bool
		m := kit.New(t, 2, lateAnswers(1, late, &on))
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1, HotReads: 1})
		key := m.KeyOf("g", 0)
		kit.Must(t, groups[0].Set(ctx, key, "v", ttl))
		end := time.Now().Add(ttl)
		on.Store(true)
		time.Sleep(ttl - late - 100*time.Millisecond) // the answer comes just before the end
		kit.MustGet(t, groups[1], key, "v")
		on.Store(false)
		before := groups[1].Stats().HotHits
		kit.MustGet(t, groups[1], key, "v")
		if groups[1].Stats().HotHits == before {
			t.Fatal("no hot copy: the test tests nothing")
		}
		time.Sleep(time.Until(end))
		if v, err := groups[1].Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("when its TTL had ended: %q, %v", v, err)
		}
	})
}

// TestLateAnswersDoNotOutliveTheLease: so does the lease. The holder cannot be
// reached, so a Delete waits for the owner's end of the lease, and then nobody may
// see the value.
func TestLateAnswersDoNotOutliveTheLease(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var on, deaf atomic.Bool
		m := kit.New(t, 2, lateAnswers(1, 700*time.Millisecond, &on), func(i int, o *cachemesh.Options) {
			if i == 0 {
				o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
					if req.Op == wire.OpInvalidate && deaf.Load() {
						return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
					}
					return next.Call(ctx, req, resp)
				}}
			}
		})
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1, HotReads: 1})
		key := m.KeyOf("g", 0)
		kit.Must(t, groups[0].Set(ctx, key, "v", 0))
		on.Store(true)
		deaf.Store(true)
		deleted := make(chan error, 1)
		go func() { // the owner grants the lease, and is asked to delete before the answer has arrived
			time.Sleep(100 * time.Millisecond)
			deleted <- groups[0].Delete(ctx, key)
		}()
		start := time.Now()
		kit.MustGet(t, groups[1], key, "v")
		on.Store(false)
		kit.MustGet(t, groups[1], key, "v")
		if groups[1].Stats().HotHits == 0 {
			t.Fatal("no hot copy: the test tests nothing")
		}
		kit.Must(t, <-deleted)
		if took := time.Since(start); took < 900*time.Millisecond || took > 1100*time.Millisecond {
			t.Errorf("the Delete was done %v after the lease was granted, want 1s", took)
		}
		if v, err := groups[1].Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("after Delete: %q, %v", v, err)
		}
	})
}

// TestTTLThatEndsDuringRetries sets a value while its owner cannot be reached, until
// its TTL is over: it must not live for ever then, nor leave the one before it.
func TestTTLThatEndsDuringRetries(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var cut atomic.Bool
		m := kit.New(t, 2, func(i int, o *cachemesh.Options) {
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if req.Op == wire.OpSet && cut.Load() {
					return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
				}
				return next.Call(ctx, req, resp)
			}}
		})
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		key := m.KeyOf("g", 0)
		kit.Must(t, groups[0].Set(ctx, key, "before", 0))
		for _, ttl := range []time.Duration{time.Second, 1500 * time.Millisecond} {
			cut.Store(true)
			time.AfterFunc(time.Second+500*time.Millisecond, func() { cut.Store(false) })
			kit.Must(t, groups[1].Set(ctx, key, "v", ttl))
			time.Sleep(time.Millisecond)
			for i, g := range groups {
				if v, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
					t.Errorf("node%d: a value of %v after 1.5s of retries: %q, %v", i, ttl, v, err)
				}
			}
			time.Sleep(time.Minute)
			if _, err := groups[0].Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("a minute later: %v", err)
			}
		}
		// What is left of a TTL counts from when Set was called.
		cut.Store(true)
		time.AfterFunc(time.Second, func() { cut.Store(false) })
		start := time.Now()
		kit.Must(t, groups[1].Set(ctx, key, "v", 3*time.Second))
		kit.MustGet(t, groups[0], key, "v")
		time.Sleep(3*time.Second - time.Since(start))
		if _, err := groups[0].Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("3s after Set was called: %v", err)
		}
	})
}
