package settle_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestLeaseEndsWithTheRight: no copy outlives the right of the member that granted it,
// for the others wait for that and not for copies.
func TestLeaseEndsWithTheRight(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const right, lease = 3 * time.Second, 5 * time.Second
		var mute atomic.Bool
		var longest atomic.Int64
		m := kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.Right, o.Lease = right, lease },
			gets(1, func(_ string, _ *httppool.Request, resp *httppool.Response) {
				longest.Store(max(longest.Load(), int64(resp.Lease)))
			}),
			func(i int, o *cachemesh.Options) {
				if i != 0 {
					return
				}
				o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
					if (req.Op == wire.OpFence || req.Op == wire.OpRelay) && mute.Load() {
						return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
					}
					return next.Call(ctx, req, resp)
				}}
			})
		g := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := m.KeysOf("g", 0, 2)
		for _, key := range keys {
			kit.MustGet(t, g[0], key, "value of "+key)
		}
		mute.Store(true) // it asks nobody any more, and through nobody
		time.Sleep(2 * time.Second)
		kit.MustGet(t, g[1], keys[0], "value of "+keys[0])
		if left := time.Duration(longest.Load()); left <= 0 || left > right-2*time.Second+200*time.Millisecond {
			t.Errorf("2s after its last question an owner whose right lasts %v granted a lease of %v", right, left)
		}
	})
}

// TestLeaseOnlyFromTheOwner: a member that took its aim by a view that is over asks for
// no lease. The former owner may grant one yet, and nobody would take it back.
func TestLeaseOnlyFromTheOwner(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		asked := make(map[string]bool)
		m := kit.New(t, 3, gets(0, func(addr string, req *httppool.Request, _ *httppool.Response) {
			asked[addr] = req.Flags&wire.FlagCopy != 0
		}))
		kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{HotReads: 1})
		key := m.KeyOf("g", 1)
		_ = seam.Inside(m.Nodes[0]).GetAt(ctx, "g", seam.Inside(m.Nodes[2]).MemberID(), key)
		kit.Must(t, seam.Inside(m.Nodes[0]).GetAt(ctx, "g", seam.Inside(m.Nodes[1]).MemberID(), key))
		if owner, former := asked[m.Nodes[1].Addr()], asked[m.Nodes[2].Addr()]; !owner || former || len(asked) != 2 {
			t.Errorf("asked for a lease: the owner %t, another %t", owner, former)
		}
	})
}

// TestNobodyWhoLeavesHoldsCopies: the others agree on views without it soon, and then
// nobody tells it.
func TestNobodyWhoLeavesHoldsCopies(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var asked, leases atomic.Int64
		m := kit.New(t, 3, gets(0, func(_ string, req *httppool.Request, _ *httppool.Response) {
			asked.Add(1)
			if req.Flags&wire.FlagCopy != 0 {
				leases.Add(1)
			}
		}))
		gate := make(chan struct{})
		g := kit.GroupOnEach(m, "g", func(i int) cachemesh.LoaderFunc[string] {
			return func(ctx context.Context, key string) (string, error) {
				if i == 0 {
					<-gate
				}
				return "value of " + key, nil
			}
		}, cachemesh.GroupOptions[string]{HotReads: 1})
		key := m.KeyOf("g", 1)
		kit.MustGet(t, g[1], key, "value of "+key)
		go g[0].Get(ctx, m.KeyOf("g", 0)) // keeps Shutdown waiting
		time.Sleep(time.Millisecond)
		done := make(chan error, 1)
		go func() { done <- m.Nodes[0].Shutdown(ctx) }()
		for !isLeaving(m.Nodes[0]) {
			time.Sleep(time.Millisecond)
		}
		kit.Must(t, seam.Inside(m.Nodes[0]).GetAt(ctx, "g", seam.Inside(m.Nodes[1]).MemberID(), key))
		close(gate)
		kit.Must(t, <-done)
		if asked.Load() == 0 || leases.Load() != 0 {
			t.Errorf("%d of %d Gets of a member that leaves asked for a lease", leases.Load(), asked.Load())
		}
	})
}

func isLeaving(n *cachemesh.Node) bool {
	return slices.ContainsFunc(n.Members(), func(m cachemesh.Member) bool { return m.Self && m.Leaving })
}
