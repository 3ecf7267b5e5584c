package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// wtable is an origin that can be written.
type wtable struct {
	mu      sync.Mutex
	rows    map[string]string
	deletes int
	block   chan struct{} // Store waits for it if it is not nil
	entered chan struct{}
}

func (tb *wtable) Store(_ context.Context, key, v string) error {
	if tb.block != nil {
		tb.entered <- struct{}{}
		<-tb.block
	}
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.rows[key] = v
	return nil
}

func (tb *wtable) Delete(_ context.Context, key string) error {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.deletes++
	delete(tb.rows, key)
	return nil
}

func (tb *wtable) load(_ context.Context, key string) (string, error) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if v, ok := tb.rows[key]; ok {
		return v, nil
	}
	return "", cachemesh.ErrNotFound
}

// Clear of a group with a Writer deletes rows of the origin.
func TestClearKeepsOrigin(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 2)
		tb := &wtable{rows: map[string]string{}}
		g := groupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{Writer: tb, HotReads: 1})
		key := m.keyOf("g", 0)
		must(t, g[0].Set(ctx, key, "v", 0))
		mustGet(t, g[1], key, "v") // a lease is out
		must(t, g[0].Clear(ctx))
		if tb.deletes != 0 || tb.rows[key] != "v" {
			t.Fatalf("Clear called Writer.Delete %d times; the row is %q", tb.deletes, tb.rows[key])
		}
	})
}

// Delete of several keys with a Writer, owner lacks the group.
func TestDeleteManyUnknownGroup(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 2)
		tb := &wtable{rows: map[string]string{}}
		g, err := cachemesh.NewGroup(m.nodes[0], "g", tb.load, cachemesh.GroupOptions[string]{Writer: tb})
		must(t, err)
		ks := m.keysOf("g", 1, 2)
		for _, k := range ks {
			tb.rows[k] = "v"
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
		if len(tb.rows) != 2 || tb.deletes != 0 {
			t.Errorf("rows %v, %d deletes: nothing was to be done", tb.rows, tb.deletes)
		}
	})
}

// A Delete whose answer was lost is repeated, and deletes a row that somebody
// wrote meanwhile.
func TestDeleteNotRepeatedAtOrigin(t *testing.T) {
	for _, many := range []bool{false, true} {
		t.Run(fmt.Sprint("many=", many), func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				var lose atomic.Int32
				op := cachemesh.OpDelete
				if many {
					op = 5 // wire.OpDeleteMany
				}
				tb := &wtable{rows: map[string]string{}}
				lost, wrote := make(chan struct{}), make(chan struct{})
				key := ""
				m := newMesh(t, 2, func(i int, o *cachemesh.Options) {
					o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
						err := next.Call(ctx, req, resp)
						if err == nil && (req.Op == op || req.Op == cachemesh.OpDelete && req.Key == key) && lose.Add(-1) == 0 {
							close(lost)
							<-wrote
							return &httppool.CallError{Addr: addr, Sent: true, Err: httppool.ErrConnLost}
						}
						return err
					}}
				})
				g := groupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{Writer: tb})
				ks := m.keysOf("g", 1, 2)
				key = ks[0]
				must(t, g[1].Set(ctx, key, "v1", 0))
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
				must(t, g[1].Set(ctx, key, "v2", 0)) // returned nil
				mustGet(t, g[1], key, "v2")
				close(wrote)
				err := <-done
				t.Logf("Delete: %v", err)
				if tb.rows[key] != "v2" {
					t.Errorf("many=%v: the Set of v2 returned nil and was read; the origin now has %q after %d deletes", many, tb.rows[key], tb.deletes)
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
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := &mesh{t: t, net: memnet.New(1)}
		t.Cleanup(m.close)
		for i := range 4 {
			m.nodes = append(m.nodes, m.newNode(i, func(i int, o *cachemesh.Options) {
				o.JoinTimeout = 100 * time.Millisecond
				if i == 3 {
					o.BootstrapNodes = []string{m.nodes[2].Addr()}
				}
			}))
		}
		m.net.Partition([]string{hostName(0), hostName(1)}, []string{hostName(2), hostName(3)})
		m.start()
		for _, n := range m.nodes {
			awaitMembers(t, ctx, n, 2)
		}
		m.settle(2)
		must(t, cachemesh.Pause(ctx, m.nodes[0], 3*time.Minute)) // they started long ago
		var row atomic.Value
		row.Store("old")
		var hold atomic.Bool
		read, release := make(chan struct{}), make(chan struct{})
		g := groupOnEach(m, "g", func(i int) cachemesh.LoaderFunc[string] {
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
		key := movesTo("g", []string{"node0", "node1"}, []string{"node0", "node1", "node2", "node3"}, "node0", "node0", 1)[0]
		m.net.Heal()
		hold.Store(true)
		go g[0].Get(ctx, key)
		<-read // "old"
		row.Store("new")
		must(t, g[2].Delete(ctx, key)) // returns nil: the owner on its side did it
		for _, n := range m.nodes {
			awaitMembers(t, ctx, n, 4)
		}
		m.settle(4)
		must(t, cachemesh.Pause(ctx, m.nodes[0], lasts))
		close(release)
		must(t, cachemesh.Pause(ctx, m.nodes[0], 5*time.Minute))
		for i := range g {
			if got, err := g[i].Get(ctx, key); got != "new" {
				t.Errorf("5 minutes after Delete returned nil, node%d: Get = %q, %v", i, got, err)
			}
		}
	})
}

// A caller that gives up must not cancel the batch for those that come later.
func TestGatheringBatch(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		g := groupOn(m, "g", nil, cachemesh.GroupOptions[string]{BatchWindow: 10 * time.Millisecond,
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
		must(t, cachemesh.Pause(ctx, m.nodes[0], time.Millisecond))
		mustGet(t, g[0], "b", "v")
	})
}

// 11b. LoadMany is called after Close returned.
func TestLoadAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		var closed, late atomic.Bool
		g := groupOn(m, "g", nil, cachemesh.GroupOptions[string]{BatchWindow: 10 * time.Millisecond,
			LoadMany: func(ctx context.Context, keys []string) (map[string]string, error) {
				late.Store(closed.Load())
				return nil, nil
			}})
		go g[0].Get(ctx, "a")
		time.Sleep(time.Millisecond)
		m.nodes[0].Close()
		closed.Store(true)
		time.Sleep(time.Second)
		if late.Load() {
			t.Fatal("LoadMany was called after Close had returned")
		}
	})
}
