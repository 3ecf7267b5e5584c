package owner_test

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

// TestLostAnswersToConditions: what may have changed a key is not repeated, and says so; a
// look at it is, and has changed nothing.
func TestLostAnswersToConditions(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var lose atomic.Int64
		m := kit.New(t, 2, func(_ int, o *cachemesh.Options) {
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				err := next.Call(ctx, req, resp)
				if req.Op == wire.OpUpdate && lose.Add(-1) >= 0 {
					*resp = httppool.Response{}
					return &httppool.CallError{Addr: addr, Sent: true, Err: httppool.ErrConnLost}
				}
				return err
			}}
		})
		g := kit.GroupOn[int](m, "g", nil, cachemesh.GroupOptions[int]{Replicas: 1})[0]
		key := m.KeyOf("g", 1)
		lost := func(err error) bool {
			pe, ok := errors.AsType[*cachemesh.PeerError](err)
			return ok && pe.MaybeApplied
		}
		lose.Store(1)
		if _, err := cachemesh.Increment(ctx, g, key, 1, 0); !lost(err) {
			t.Errorf("Increment: %v", err)
		}
		lose.Store(1)
		add := func(old int, _ bool) (int, cachemesh.Action, error) { return old + 10, cachemesh.Replace, nil }
		if v, err := g.Update(ctx, key, 0, add); v != 11 || err != nil {
			t.Errorf("Update whose look was lost: %d, %v", v, err)
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		lose.Store(1 << 20)
		if _, err := g.Update(short, key, 0, add); err == nil || lost(err) {
			t.Errorf("Update whose looks are all lost: %v", err)
		}
		lose.Store(0)
		if v, err := g.Get(ctx, key); v != 11 || err != nil {
			t.Errorf("it has %d, %v", v, err)
		}
	})
}
