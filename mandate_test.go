package cachemesh_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// Whoever asks while a view is adopted gets an answer by the former one, and that
// must not settle the new one.
func TestSettledByTheViewBefore(t *testing.T) {
	m := newMesh(t, 3)
	ctx, stop := context.WithCancel(testContext(t))
	var hammers sync.WaitGroup
	for range 4 {
		hammers.Go(func() {
			for ctx.Err() == nil {
				cachemesh.Judge(m.nodes[0])
			}
		})
	}
	defer hammers.Wait()
	defer stop()
	early := 0
	for range 30 {
		if cachemesh.AdoptLife(m.nodes[0], "node2", 77) {
			early++
		}
		cachemesh.AdoptLife(m.nodes[0], "node2", 1)
		must(t, cachemesh.AwaitSettled(ctx, m.nodes[0], 3))
	}
	if early > 0 {
		t.Errorf("%d of 30 views were taken for settled before anybody was asked", early)
	}
}

// A member that learns that the others went on without it, and that somebody may
// act yet who is not in the view, takes no writes before that one has stopped; nor
// by a view that settled before.
func TestLeftOutWaits(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var lie atomic.Bool
		alter := func(b []byte) []byte {
			w, err := quorum.Parse(b)
			if err != nil || !lie.Load() || w.View == 0 {
				return b
			}
			w.TakenIn, w.Number, w.WaitsLeft = 77, max(w.Number, 50), int64(2*time.Second)
			return w.Append(nil)
		}
		m := newMesh(t, 2, func(i int, o *cachemesh.Options) {
			o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if req.Op == cachemesh.OpFence && i == 1 {
					altered := *req
					altered.Value = alter(req.Value)
					return next.Call(ctx, &altered, resp)
				}
				err := next.Call(ctx, req, resp)
				if req.Op == cachemesh.OpFence && err == nil {
					resp.Value = alter(resp.Value)
				}
				return err
			}}
		})
		g := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
		key := m.keyOf("g", 0)
		mustGet(t, g[0], key, "value of "+key)
		lie.Store(true)
		for before := g[0].Stats().Entries; before > 0 && g[0].Stats().Entries == before; {
			must(t, cachemesh.Pause(ctx, m.nodes[0], time.Millisecond))
		}
		began := time.Now() // it has dropped what it held
		must(t, g[0].Delete(ctx, key))
		if took := time.Since(began); took < 1900*time.Millisecond {
			t.Errorf("a Delete returned nil after %v, want 2s", took)
		}
	})
}
