package groups_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestGroupCloseWaitsForWriters: a Writer that hangs may change the row yet, so that no
// other may be called before it is over, but not for ever. What it writes when it was
// given up is seen by the group that follows.
func TestGroupCloseWaitsForWriters(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := kit.New(t, 2), kit.NewDatabase()
		d.Shared = true
		hang := make(chan struct{})
		d.Before(func(context.Context, string) error { <-hang; return nil })
		o := cachemesh.GroupOptions[string]{Writer: d, LoadTimeout: time.Second}
		groups := kit.GroupOn(m, "g", d.Load, o)
		key := m.KeyOf("g", 0)
		written := make(chan error, 1)
		go func() { written <- groups[0].Set(ctx, key, "old", 0) }()
		synctest.Wait()
		began := time.Now()
		kit.Must(t, groups[0].Close(ctx))
		if took := time.Since(began); took < 2*time.Second || took > 2100*time.Millisecond {
			t.Errorf("Close took %v, want twice LoadTimeout", took)
		}
		if err := <-written; err == nil {
			t.Error("Set returned nil, its Writer has not returned")
		}
		o.Writer = nil
		g, err := cachemesh.NewGroup(m.Nodes[0], "g", d.Load, o)
		kit.Must(t, err)
		if _, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("Get: %v", err)
		}
		kit.Must(t, g.Set(ctx, key, "new", 0))
		kit.MustGet(t, g, key, "new")
		close(hang)
		synctest.Wait()
		kit.MustGet(t, g, key, "old")
	})
}

// TestGroupCloseOwes: what was deleted in a minority the majority is made to forget,
// though the group was closed, and perhaps replaced once and again, before they met.
func TestGroupCloseOwes(t *testing.T) {
	for replaced := range 3 {
		t.Run(fmt.Sprint("replaced=", replaced), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				c := kit.NewCollector()
				m := kit.New(t, 3, c.Edit)
				g := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})[0]
				keys := m.KeysOf("g", 1, 5)
				m.Net.Partition([]string{kit.Host(0)})
				kit.AwaitMode(t, m.Nodes[0], "minority")
				kit.Must(t, kit.InMinority(g.Delete(ctx, keys[0])))
				for i := range replaced {
					kit.Must(t, g.Close(ctx))
					var err error
					g, err = cachemesh.NewGroup(m.Nodes[0], "g", kit.Echo, cachemesh.GroupOptions[string]{})
					kit.Must(t, err)
					kit.Must(t, kit.InMinority(g.Delete(ctx, keys[i+1])))
				}
				kit.Must(t, g.Close(ctx))
				m.Net.Heal()
				for _, n := range m.Nodes {
					kit.AwaitMembers(t, ctx, n, 3)
				}
				m.Settle(3)
				time.Sleep(5 * time.Second)
				for _, key := range keys[:replaced+1] {
					if !c.Forgotten(key) {
						t.Errorf("%q was deleted in the minority, and its owner in the majority was not told", key)
					}
				}
			})
		})
	}
}

// TestGroupCloseBesideTheNode: before Start, and while the node closes, Close returns.
func TestGroupCloseBesideTheNode(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		idle := m.NewNode(2)
		g, err := cachemesh.NewGroup(idle, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		kit.Must(t, g.Close(ctx))
		kit.Must(t, idle.Close())
		gate := kit.NewGate()
		groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{})
		waiting := kit.GoGet(ctx, groups[0], m.KeyOf("g", 0))
		<-gate.Entered
		closed := make(chan error, 1)
		go func() { closed <- groups[0].Close(ctx) }()
		synctest.Wait()
		kit.Must(t, m.Nodes[0].Close())
		if err := <-closed; !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Close of the group: %v, want ErrClosed", err)
		}
		if out := <-waiting; out.Err == nil {
			t.Errorf("a load when the node closed: %v", out)
		}
	})
}

// TestGroupCloseGivesMemoryBack: a thousand groups are made, filled, read from another
// member and closed.
func TestGroupCloseGivesMemoryBack(t *testing.T) {
	ctx := kit.Context(t)
	m := kit.New(t, 2)
	other := kit.GroupOn(m, "other", kit.Echo, cachemesh.GroupOptions[string]{})
	kit.MustGet(t, other[0], "k", "value of k")
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
	}
	round := func(i int) {
		groups := kit.GroupOn(m, "g", func(context.Context, string) ([]byte, error) { return make([]byte, 4<<10), nil },
			cachemesh.GroupOptions[[]byte]{MaxBytes: 4 << 20, MaxLoads: 8, FailureTTL: time.Second, HotReads: 1})
		for _, g := range groups {
			some := keys[:20]
			if i%50 == 0 {
				some = keys // more than it holds
			}
			if _, err := g.GetMany(ctx, some); err != nil {
				t.Fatal(err)
			}
		}
		for _, g := range groups {
			kit.Must(t, g.Close(ctx))
		}
	}
	rounds := 1000
	if kit.Race {
		rounds = 100
	}
	for i := range 100 {
		round(i)
	}
	heap, routines := kit.HeapBytes(), runtime.NumGoroutine()
	for i := range rounds {
		round(i)
	}
	grown := kit.HeapBytes() - heap
	t.Logf("%d rounds on two members: heap %+d bytes, %+d goroutines", rounds, grown, runtime.NumGoroutine()-routines)
	if grown > 2<<20 || runtime.NumGoroutine() > routines+10 {
		t.Errorf("heap %+d bytes, %+d goroutines", grown, runtime.NumGoroutine()-routines)
	}
	kit.MustGet(t, other[1], "k", "value of k")
}
