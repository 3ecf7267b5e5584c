package owner_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Clear of a group with a Writer deletes rows of the origin.
func TestClearKeepsOrigin(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		tb := &kit.Origin{Rows: map[string]string{}}
		g := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{Writer: tb, HotReads: 1})
		key := m.KeyOf("g", 0)
		kit.Must(t, g[0].Set(ctx, key, "v", 0))
		kit.MustGet(t, g[1], key, "v") // a lease is out
		kit.Must(t, g[0].Clear(ctx))
		if tb.Deletes != 0 || tb.Rows[key] != "v" {
			t.Fatalf("Clear called Writer.Delete %d times; the row is %q", tb.Deletes, tb.Rows[key])
		}
	})
}

// Delete of several keys with a Writer, owner lacks the group.
func TestDeleteManyUnknownGroup(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		tb := &kit.Origin{Rows: map[string]string{}}
		g, err := cachemesh.NewGroup(m.Nodes[0], "g", tb.Load, cachemesh.GroupOptions[string]{Writer: tb})
		kit.Must(t, err)
		ks := m.KeysOf("g", 1, 2)
		for _, k := range ks {
			tb.Rows[k] = "v"
		}
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := g.Delete(ctx, ks[0]); !errors.Is(err, cachemesh.ErrUnknownGroup) {
			t.Errorf("Delete of one key: %v, want ErrUnknownGroup", err)
		}
		failed, ok := errors.AsType[cachemesh.KeyErrors](g.Delete(ctx, ks...))
		if !ok || len(failed) != 2 || !errors.Is(failed[ks[0]], cachemesh.ErrUnknownGroup) || !errors.Is(failed[ks[1]], cachemesh.ErrUnknownGroup) {
			t.Errorf("Delete of two keys: %v, want ErrUnknownGroup for each", failed)
		}
		if len(tb.Rows) != 2 || tb.Deletes != 0 {
			t.Errorf("rows %v, %d deletes: nothing was to be done", tb.Rows, tb.Deletes)
		}
	})
}

// A Delete whose answer was lost is repeated, and deletes a row that somebody
// wrote meanwhile.
func TestDeleteNotRepeatedAtOrigin(t *testing.T) {
	for _, many := range []bool{false, true} {
		t.Run(fmt.Sprint("many=", many), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				var lose atomic.Int32
				op := wire.OpDelete
				if many {
					op = 5 // wire.OpDeleteMany
				}
				tb := &kit.Origin{Rows: map[string]string{}}
				lost, wrote := make(chan struct{}), make(chan struct{})
				key := ""
				m := kit.New(t, 2, func(i int, o *cachemesh.Options) {
					o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
						err := next.Call(ctx, req, resp)
						if err == nil && (req.Op == op || req.Op == wire.OpDelete && req.Key == key) && lose.Add(-1) == 0 {
							close(lost)
							<-wrote
							return &httppool.CallError{Addr: addr, Sent: true, Err: httppool.ErrConnLost}
						}
						return err
					}}
				})
				g := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{Writer: tb})
				ks := m.KeysOf("g", 1, 2)
				key = ks[0]
				kit.Must(t, g[1].Set(ctx, key, "v1", 0))
				lose.Store(1)
				done := make(chan error)
				go func() {
					if many {
						done <- g[0].Delete(ctx, ks...)
					} else {
						done <- g[0].Delete(ctx, key)
					}
				}()
				<-lost
				kit.Must(t, g[1].Set(ctx, key, "v2", 0)) // returned nil
				kit.MustGet(t, g[1], key, "v2")
				close(wrote)
				err := <-done
				t.Logf("Delete: %v", err)
				if tb.Rows[key] != "v2" {
					t.Errorf("many=%v: the Set of v2 returned nil and was read; the origin now has %q after %d deletes", many, tb.Rows[key], tb.Deletes)
				}
			})
		})
	}
}

// Two meshes that did not know each other meet. A load that began before stores
// what is outdated, without a limit.
func TestLoadAcrossMerge(t *testing.T) {
	for _, lasts := range []time.Duration{0, 15 * time.Second} { // shorter and longer than MaxStale
		t.Run(fmt.Sprint(lasts), func(t *testing.T) { loadAcrossMerge(t, lasts) })
	}
}

func loadAcrossMerge(t *testing.T, lasts time.Duration) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := &kit.Mesh{T: t, Net: memnet.New(1)}
		t.Cleanup(m.Close)
		for i := range 4 {
			m.Nodes = append(m.Nodes, m.NewNode(i, func(i int, o *cachemesh.Options) {
				o.JoinTimeout = 100 * time.Millisecond
				if i == 3 {
					o.BootstrapNodes = []string{m.Nodes[2].Addr()}
				}
			}))
		}
		m.Net.Partition([]string{kit.Host(0), kit.Host(1)}, []string{kit.Host(2), kit.Host(3)})
		m.Start()
		for _, n := range m.Nodes {
			kit.AwaitMembers(t, ctx, n, 2)
		}
		m.Settle(2)
		kit.Must(t, kit.Pause(ctx, 3*time.Minute)) // they started long ago
		var row atomic.Value
		row.Store("old")
		var hold atomic.Bool
		read, release := make(chan struct{}), make(chan struct{})
		g := kit.GroupOnEach(m, "g", func(i int) cachemesh.LoaderFunc[string] {
			return func(ctx context.Context, key string) (string, error) {
				v := row.Load().(string)
				if i == 0 && hold.CompareAndSwap(true, false) {
					close(read)
					<-release
				}
				return v, nil
			}
		}, cachemesh.GroupOptions[string]{LoadTimeout: time.Hour})
		// A key that node 0 owns before and after.
		key := kit.MovesTo("g", []string{"node0", "node1"}, []string{"node0", "node1", "node2", "node3"}, "node0", "node0", 1)[0]
		m.Net.Heal()
		hold.Store(true)
		go g[0].Get(ctx, key)
		<-read // "old"
		row.Store("new")
		kit.Must(t, g[2].Delete(ctx, key)) // returns nil: the owner on its side did it
		for _, n := range m.Nodes {
			kit.AwaitMembers(t, ctx, n, 4)
		}
		m.Settle(4)
		kit.Must(t, kit.Pause(ctx, lasts))
		close(release)
		kit.Must(t, kit.Pause(ctx, 5*time.Minute))
		for i := range g {
			if got, err := g[i].Get(ctx, key); got != "new" {
				t.Errorf("5 minutes after Delete returned nil, node%d: Get = %q, %v", i, got, err)
			}
		}
	})
}

// A caller that gives up must not cancel the batch for those that come later.
func TestGatheringBatch(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		g := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[string]{BatchWindow: 10 * time.Millisecond,
			LoadMany: func(ctx context.Context, keys []string) (map[string]string, error) {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				out := map[string]string{}
				for _, k := range keys {
					out[k] = "v"
				}
				return out, nil
			}})
		short, cancel := context.WithTimeout(ctx, 2*time.Millisecond)
		defer cancel()
		_, err := g[0].Get(short, "a")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		kit.Must(t, kit.Pause(ctx, time.Millisecond))
		kit.MustGet(t, g[0], "b", "v")
	})
}

// 11b. LoadMany is called after Close returned.
func TestLoadAfterClose(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		var closed, late atomic.Bool
		g := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[string]{BatchWindow: 10 * time.Millisecond,
			LoadMany: func(ctx context.Context, keys []string) (map[string]string, error) {
				late.Store(closed.Load())
				return nil, nil
			}})
		go g[0].Get(ctx, "a")
		time.Sleep(time.Millisecond)
		m.Nodes[0].Close()
		closed.Store(true)
		time.Sleep(time.Second)
		if late.Load() {
			t.Fatal("LoadMany was called after Close had returned")
		}
	})
}
