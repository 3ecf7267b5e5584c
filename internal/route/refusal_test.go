package route_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestARefusalIsAnAnswer: an owner that answers, whatever it says, can be reached. The
// caller loads for itself, once, and asks no other member; without a loader the error
// comes at once.
func TestARefusalIsAnAnswer(t *testing.T) {
	for _, status := range []uint8{httppool.StatusInternal, httppool.StatusTooLarge, httppool.StatusCancelled, wire.StatusInvalid, 99} {
		t.Run(fmt.Sprint("status ", status), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				var on atomic.Bool
				var calls atomic.Int64
				m := kit.New(t, 4, func(i int, o *cachemesh.Options) {
					o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
						if !on.Load() || req.Group == "" {
							return next.Call(ctx, req, resp)
						}
						calls.Add(1)
						*resp = httppool.Response{Status: status, Message: "for a reason"}
						return nil
					}}
				})
				var loads atomic.Int64
				groups := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) {
					loads.Add(1)
					return "value of " + key, nil
				}, cachemesh.GroupOptions[string]{})
				plain := kit.GroupOn[string](m, "plain", nil, cachemesh.GroupOptions[string]{Replicas: 1})
				key, plainKey := m.KeyOf("g", 1), m.KeyOf("plain", 1)
				on.Store(true)
				kit.MustGet(t, groups[0], key, "value of "+key)
				if loads.Load() != 1 || calls.Load() != 1 {
					t.Errorf("%d loads and %d calls, want one each", loads.Load(), calls.Load())
				}
				start := time.Now()
				var pe *cachemesh.PeerError
				if _, err := plain[0].Get(ctx, plainKey); !errors.As(err, &pe) {
					t.Errorf("Get of a plain map: %v, want a PeerError", err)
				}
				if took := time.Since(start); took > 0 {
					t.Errorf("it took %v to say so", took)
				}
				if s := groups[0].Stats(); s.Entries != 0 {
					t.Errorf("%d entries are stored at the caller", s.Entries)
				}
			})
		})
	}
}
