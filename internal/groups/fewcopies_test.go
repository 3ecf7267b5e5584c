package groups_test

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Set waits for others that register the group in a moment, though there were too few before: there were enough
// since, and nothing was written when that began.
func TestSetWaitsForOthersAgain(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		g, other := copiesOn(t, m, 0), (*cachemesh.Group[int])(nil)
		key := m.KeyOf("g", 0)
		for round := range 3 {
			set := make(chan error, 1)
			go func() { set <- g.Set(ctx, key, round, 0) }()
			time.Sleep(time.Second)
			other = copiesOn(t, m, 1)
			if err := <-set; err != nil {
				t.Errorf("round %d: %v", round, err)
			}
			awaitCopies(t, ctx, g, other)
			kit.Must(t, other.Close(ctx))
			time.Sleep(time.Minute)
		}
	})
}

// A member has too much to do when another tells it that it has registered the group: it is told again.
func TestToldAgainAfterOverload(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var refused atomic.Int32
		m := kit.New(t, 2, func(i int, o *cachemesh.Options) {
			if i == 0 {
				return
			}
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, _ string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if _, n := binary.Uvarint(req.Value); req.Op == wire.OpCopies && len(req.Value) == n && refused.Add(1) < 3 {
					*resp = httppool.Response{Status: httppool.StatusOverloaded}
					return nil
				}
				return next.Call(ctx, req, resp)
			}}
		})
		g := copiesOn(t, m, 0)
		time.Sleep(time.Second) // it has heard that the other does not have the group
		copiesOn(t, m, 1)
		kit.Must(t, g.Set(ctx, m.KeyOf("g", 0), 1, 0))
		if refused.Load() != 3 {
			t.Errorf("told %d times", refused.Load())
		}
	})
}
