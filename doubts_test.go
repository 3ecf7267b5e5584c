package cachemesh_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

func awaitMembers(t *testing.T, ctx context.Context, n *cachemesh.Node, want int) {
	t.Helper()
	for i := 0; len(n.Members()) != want; i++ {
		if i > 100000 {
			t.Fatalf("%v sees %v, want %d", n, n.Members(), want)
		}
		must(t, cachemesh.Pause(ctx, n, time.Millisecond))
	}
}

// A minority that grows by new members takes itself for the majority.
func TestMinorityGrows(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 5)
		var row atomic.Value
		row.Store("old")
		load := func(context.Context, string) (string, error) { return row.Load().(string), nil }
		g := groupOn(m, "g", load, cachemesh.GroupOptions[string]{})
		a, b := []string{hostName(0), hostName(1), hostName(5), hostName(6)}, []string{hostName(2), hostName(3), hostName(4)}
		for i := range 7 {
			m.net.Host(hostName(i))
		}
		m.net.Partition(a, b)
		awaitMembers(t, ctx, m.nodes[0], 2)
		for i := 5; i < 7; i++ { // the zone's autoscaler replaces what it misses
			n := m.newNode(i)
			gi, err := cachemesh.NewGroup(n, "g", load, cachemesh.GroupOptions[string]{})
			must(t, err)
			m.nodes, g = append(m.nodes, n), append(g, gi)
			must(t, n.Start())
		}
		must(t, cachemesh.Pause(ctx, m.nodes[0], 90*time.Second))
		mustGet(t, g[0], "k", "old") // cached on the minority's side
		row.Store("new")
		must(t, g[2].Delete(ctx, "k")) // returns nil on the majority's
		must(t, cachemesh.Pause(ctx, m.nodes[0], 60*time.Second))
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
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		g := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
		ks := m.keysOf("g", 2, 2)
		must(t, g[0].Set(ctx, ks[0], "old", 0))
		must(t, g[0].Set(ctx, ks[1], "old", 0))
		m.net.Partition([]string{hostName(0), hostName(1)}, []string{hostName(2)})
		awaitMembers(t, ctx, m.nodes[0], 2)
		awaitMembers(t, ctx, m.nodes[1], 2)
		must(t, cachemesh.AwaitSettled(ctx, m.nodes[0], 2))
		must(t, g[0].Delete(ctx, ks[0])) // within the minute
		must(t, cachemesh.Pause(ctx, m.nodes[0], 90*time.Second))
		must(t, g[0].Delete(ctx, ks[1])) // after it
		m.net.Heal()
		for i := range 3 {
			awaitMembers(t, ctx, m.nodes[i], 3)
		}
		m.settle(3)
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
			bubble(t, func(t *testing.T, ctx context.Context) {
				var slow atomic.Bool
				m := newMesh(t, 3, func(i int, o *cachemesh.Options) {
					o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
						if req.Op == cachemesh.OpFence && slow.Load() {
							time.Sleep(1200 * time.Millisecond)
						}
						return next.Call(ctx, req, resp)
					}}
				})
				var row atomic.Value
				row.Store("old")
				load := func(context.Context, string) (string, error) { return row.Load().(string), nil }
				g := groupOn(m, "g", load, cachemesh.GroupOptions[string]{})
				keys := m.keysOf("g", 2, 1)
				mustGet(t, g[2], keys[0], "old")
				m.net.Partition([]string{hostName(0), hostName(1)}, []string{hostName(2)})
				must(t, cachemesh.Pause(ctx, m.nodes[0], off))
				slow.Store(true)
				row.Store("new")
				must(t, g[0].Delete(ctx, keys[0])) // once the right of node2 is over
				began := time.Now()
				var last time.Duration
				for time.Since(began) < 20*time.Second {
					if v, _ := g[2].Get(ctx, keys[0]); v == "old" {
						last = time.Since(began)
					}
					if v, err := g[0].Get(ctx, keys[0]); v != "new" {
						t.Fatalf("on the majority's side: %q, %v", v, err)
					}
					must(t, cachemesh.Pause(ctx, m.nodes[0], 10*time.Millisecond))
				}
				t.Logf("the old value was served for %v after Delete returned nil", last)
				if last > 10*time.Second {
					t.Errorf("MaxStale is 10 s")
				}
			})
		})
	}
}
