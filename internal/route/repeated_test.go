package route_test

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

// TestRepeatedMayBeApplied: the answer to a change that may be repeated is lost, and its repetitions reach nobody until
// the caller's time is over. What was not applied the last time may have been the first.
func TestRepeatedMayBeApplied(t *testing.T) {
	for what, change := range map[string]func(ctx context.Context, g *cachemesh.Group[string], key string) error{
		"Delete": func(ctx context.Context, g *cachemesh.Group[string], key string) error { return g.Delete(ctx, key) },
		"Clear":  func(ctx context.Context, g *cachemesh.Group[string], _ string) error { return g.Clear(ctx) },
		"DeletePrefix": func(ctx context.Context, g *cachemesh.Group[string], key string) error {
			return g.DeletePrefix(ctx, key)
		},
	} {
		t.Run(what, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				var calls atomic.Int64
				m := kit.New(t, 2, func(i int, o *cachemesh.Options) {
					o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
						if i != 0 || req.Op != wire.OpDelete && req.Op != wire.OpClear && req.Op != wire.OpDeletePrefix {
							return next.Call(ctx, req, resp)
						}
						if calls.Add(1) > 1 {
							return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
						}
						kit.Must(t, next.Call(ctx, req, resp))
						*resp = httppool.Response{}
						return &httppool.CallError{Addr: addr, Sent: true, Err: httppool.ErrConnLost}
					}}
				})
				groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
				key := m.KeyOf("g", 1)
				short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
				defer cancel()
				err := change(short, groups[0], key)
				if pe, ok := errors.AsType[*cachemesh.PeerError](err); !ok || !pe.MaybeApplied || errors.Is(err, cachemesh.ErrUnsettled) {
					t.Errorf("%v, want a PeerError with MaybeApplied", err)
				}
				if calls.Load() < 2 {
					t.Error("it was not repeated")
				}
			})
		})
	}
}
