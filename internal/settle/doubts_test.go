package settle_test

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

// A minority that grows by new members takes itself for the majority.
func TestMinorityGrows(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 5)
		var row atomic.Value
		row.Store("old")
		load := func(context.Context, string) (string, error) { return row.Load().(string), nil }
		g := kit.GroupOn(m, "g", load, cachemesh.GroupOptions[string]{})
		a, b := []string{kit.Host(0), kit.Host(1), kit.Host(5), kit.Host(6)}, []string{kit.Host(2), kit.Host(3), kit.Host(4)}
		for i := range 7 {
			m.Net.Host(kit.Host(i))
		}
		m.Net.Partition(a, b)
		kit.AwaitMembers(t, ctx, m.Nodes[0], 2)
		for i := 5; i < 7; i++ { // the zone's autoscaler replaces what it misses
			n := m.NewNode(i)
			gi, err := cachemesh.NewGroup(n, "g", load, cachemesh.GroupOptions[string]{})
			kit.Must(t, err)
			m.Nodes, g = append(m.Nodes, n), append(g, gi)
			kit.Must(t, n.Start())
		}
		kit.Must(t, kit.Pause(ctx, 90*time.Second))
		kit.MustGet(t, g[0], "k", "old") // cached on the minority's side
		row.Store("new")
		kit.Must(t, g[2].Delete(ctx, "k")) // returns nil on the majority's
		kit.Must(t, kit.Pause(ctx, 60*time.Second))
		for _, i := range []int{0, 1, 5, 6, 2} {
			if v, err := g[i].Get(ctx, "k"); v != "new" {
				t.Errorf("60 s after Delete returned nil (MaxStale is 10 s), node%d: %q, %v", i, v, err)
			}
		}
	})
}

// A Delete in a plain map, made when the missing members were forgotten, is
// undone when they come back.
func TestDeleteOutlivesForgetting(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		g := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		ks := m.KeysOf("g", 2, 2)
		kit.Must(t, g[0].Set(ctx, ks[0], "old", 0))
		kit.Must(t, g[0].Set(ctx, ks[1], "old", 0))
		m.Net.Partition([]string{kit.Host(0), kit.Host(1)}, []string{kit.Host(2)})
		kit.AwaitMembers(t, ctx, m.Nodes[0], 2)
		kit.AwaitMembers(t, ctx, m.Nodes[1], 2)
		kit.Must(t, kit.AwaitSettled(ctx, m.Nodes[0], 2))
		kit.Must(t, g[0].Delete(ctx, ks[0])) // within the minute
		kit.Must(t, kit.Pause(ctx, 90*time.Second))
		kit.Must(t, g[0].Delete(ctx, ks[1])) // after it
		m.Net.Heal()
		for i := range 3 {
			kit.AwaitMembers(t, ctx, m.Nodes[i], 3)
		}
		m.Settle(3)
		for i, k := range ks {
			if v, err := g[0].Get(ctx, k); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("Delete %d returned nil on the majority's side; healed: Get = %q, %v", i, v, err)
			}
		}
	})
}

// What a member that was cut off holds is dropped in time, although members answer
// slowly.
func TestSweepIsLate(t *testing.T) {
	for off := time.Duration(0); off < 5*time.Second; off += 400 * time.Millisecond {
		t.Run(off.String(), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				var slow atomic.Bool
				m := kit.New(t, 3, func(i int, o *cachemesh.Options) {
					o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
						if req.Op == wire.OpFence && slow.Load() {
							time.Sleep(1200 * time.Millisecond)
						}
						return next.Call(ctx, req, resp)
					}}
				})
				var row atomic.Value
				row.Store("old")
				load := func(context.Context, string) (string, error) { return row.Load().(string), nil }
				g := kit.GroupOn(m, "g", load, cachemesh.GroupOptions[string]{})
				keys := m.KeysOf("g", 2, 1)
				kit.MustGet(t, g[2], keys[0], "old")
				m.Net.Partition([]string{kit.Host(0), kit.Host(1)}, []string{kit.Host(2)})
				kit.Must(t, kit.Pause(ctx, off))
				slow.Store(true)
				row.Store("new")
				kit.Must(t, g[0].Delete(ctx, keys[0])) // once the right of node2 is over
				began := time.Now()
				var last time.Duration
				for time.Since(began) < 20*time.Second {
					if v, _ := g[2].Get(ctx, keys[0]); v == "old" {
						last = time.Since(began)
					}
					if v, err := g[0].Get(ctx, keys[0]); v != "new" {
						t.Fatalf("on the majority's side: %q, %v", v, err)
					}
					kit.Must(t, kit.Pause(ctx, 10*time.Millisecond))
				}
				t.Logf("the old value was served for %v after Delete returned nil", last)
				if last > 10*time.Second {
					t.Errorf("MaxStale is 10 s")
				}
			})
		})
	}
}
