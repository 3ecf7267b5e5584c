//go:build !race

// So many values take minutes under the race detector.

package groups_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestLeaveWhileOthersLook: a member leaves whose copies the other goes through for longer than a member
// waits that is asked for nothing. It stays until the other has said that it has all of them.
func TestLeaveWhileOthersLook(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const values = 70_000 // three pages of a digest
		var pages atomic.Int64
		var slow atomic.Bool
		late := func(_ int, o *cachemesh.Options) {
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, _ string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if req.Op == wire.OpDigest && slow.Load() && pages.Add(1)%2 == 0 {
					<-ctx.Done() // every other page is late
				}
				return next.Call(ctx, req, resp)
			}}
		}
		m := kit.New(t, 1, late)
		first := copiesOn(t, m, 0)
		for i := range values { // nobody is there yet to have a copy, so it is quick
			kit.Must(t, first.Set(ctx, fmt.Sprint("k", i), i, 0))
		}
		m.Nodes = append(m.Nodes, m.NewNode(1, late))
		kit.Must(t, m.Nodes[1].Start())
		m.Settle(2)
		second := copiesOn(t, m, 1)
		awaitCopies(t, ctx, first, second)
		slow.Store(true)
		kit.Must(t, m.Nodes[0].Shutdown(ctx))
		for i := range values {
			kit.MustGet(t, second, fmt.Sprint("k", i), i)
		}
	})
}
