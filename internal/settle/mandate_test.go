package settle_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Whoever asks while a view is adopted gets an answer by the former one, and that
// must not settle the new one.
func TestSettledByTheViewBefore(t *testing.T) {
	m := kit.New(t, 3)
	ctx, stop := context.WithCancel(kit.Context(t))
	var hammers sync.WaitGroup
	for range 4 {
		hammers.Go(func() {
			for ctx.Err() == nil {
				seam.Inside(m.Nodes[0]).Judge()
			}
		})
	}
	defer hammers.Wait()
	defer stop()
	early := 0
	for range 30 {
		if seam.Inside(m.Nodes[0]).AdoptLife("node2", 77) {
			early++
		}
		seam.Inside(m.Nodes[0]).AdoptLife("node2", 1)
		kit.Must(t, kit.AwaitSettled(ctx, m.Nodes[0], 3))
	}
	if early > 0 {
		t.Errorf("%d of 30 views were taken for settled before anybody was asked", early)
	}
}

// A member that learns that the others went on without it, and that somebody may
// act yet who is not in the view, takes no writes before that one has stopped; nor
// by a view that settled before.
func TestLeftOutWaits(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var lie atomic.Bool
		alter := func(b []byte) []byte {
			w, err := quorum.Parse(b)
			if err != nil || !lie.Load() || w.View == 0 {
				return b
			}
			w.TakenIn, w.Number, w.WaitsLeft = 77, max(w.Number, 50), int64(2*time.Second)
			return w.Append(nil)
		}
		m := kit.New(t, 2, func(i int, o *cachemesh.Options) {
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if req.Op == wire.OpFence && i == 1 {
					altered := *req
					altered.Value = alter(req.Value)
					return next.Call(ctx, &altered, resp)
				}
				err := next.Call(ctx, req, resp)
				if req.Op == wire.OpFence && err == nil {
					resp.Value = alter(resp.Value)
				}
				return err
			}}
		})
		g := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 0)
		kit.MustGet(t, g[0], key, "value of "+key)
		lie.Store(true)
		for before := g[0].Stats().Entries; before > 0 && g[0].Stats().Entries == before; {
			kit.Must(t, kit.Pause(ctx, time.Millisecond))
		}
		began := time.Now() // it has dropped what it held
		kit.Must(t, g[0].Delete(ctx, key))
		if took := time.Since(began); took < 1900*time.Millisecond {
			t.Errorf("a Delete returned nil after %v, want 2s", took)
		}
	})
}
