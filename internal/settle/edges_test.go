package settle_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// leaveOut cuts node i off from the others, and returns when these are without it.
func leaveOut(t *testing.T, ctx context.Context, m *kit.Mesh, i int) {
	m.T.Helper()
	m.Net.Partition([]string{kit.Host(i)})
	for j, n := range m.Nodes {
		if j != i {
			kit.AwaitMembers(t, ctx, n, len(m.Nodes)-1)
			kit.Must(t, kit.AwaitSettled(ctx, n, len(m.Nodes)-1))
		}
	}
}

// A right that ends while the Writer runs: the write does not return nil, whatever the
// Writer did, and once the mesh is whole everybody sees what the origin has.
func TestWriterAtTheEdge(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := kit.New(t, 3), kit.NewDatabase()
		g := kit.GroupOn(m, "g", d.Load, cachemesh.GroupOptions[string]{Writer: d})
		key := m.KeyOf("g", 0)
		kit.Must(t, g[0].Set(ctx, key, "first", 0))
		for i := range g {
			kit.MustGet(t, g[i], key, "first")
		}
		var slow atomic.Bool
		slow.Store(true)
		d.Before(func(context.Context, string) error {
			if slow.Swap(false) {
				time.Sleep(6 * time.Second) // it ignores its context
			}
			return nil
		})
		m.Net.Partition([]string{kit.Host(0)})
		err := g[0].Set(ctx, key, "second", 0) // begins by right
		pe, ok := errors.AsType[*cachemesh.PeerError](err)
		we, isWrite := errors.AsType[*cachemesh.WriteError](err)
		if err == nil || ok && !pe.MaybeApplied {
			t.Errorf("a Set whose right ended while the Writer ran: %v", err)
		}
		t.Logf("%v %v %v", err, we, isWrite)
		kit.Must(t, kit.Pause(ctx, 8*time.Second)) // the Writer returns
		m.Net.Heal()
		for i := range 3 {
			kit.AwaitMembers(t, ctx, m.Nodes[i], 3)
		}
		m.Settle(3)
		kit.Must(t, kit.Pause(ctx, 3*time.Second)) // what is owed is paid
		for i := range g {
			kit.MustGet(t, g[i], key, "second")
		}
	})
}

// Without a loader the number of the primary decides which value is newer, and not the
// clock of an owner that was cut off.
func TestSkewedVersions(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		g := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		keys := m.KeysOf("g", 0, 4)
		seam.Inside(m.Nodes[0]).SkewVersions(time.Hour)
		for _, key := range keys {
			kit.Must(t, g[0].Set(ctx, key, "by the clock ahead", 0))
		}
		leaveOut(t, ctx, m, 0)
		for _, key := range keys[:2] { // on both sides
			err := g[0].Set(ctx, key, "beyond the cut", 0)
			if err != nil && !errors.Is(err, cachemesh.ErrMinority) && !errors.Is(err, cachemesh.ErrUnsettled) {
				t.Errorf("beyond the cut: %v", err)
			}
		}
		for _, key := range keys[:3] {
			kit.Must(t, g[1].Set(ctx, key, "by the majority", 0))
		}
		kit.Must(t, g[1].Delete(ctx, keys[3]))
		m.Net.Heal()
		for i := range 3 {
			kit.AwaitMembers(t, ctx, m.Nodes[i], 3)
		}
		m.Settle(3)
		kit.Must(t, kit.Pause(ctx, time.Second))
		for i := range g {
			for _, key := range keys[:3] {
				kit.MustGet(t, g[i], key, "by the majority")
			}
			if v, err := g[i].Get(ctx, keys[3]); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("a deleted key is back: %q, %v", v, err)
			}
		}
	})
}
