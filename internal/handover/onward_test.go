package handover_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// parkedMesh is a mesh of two of which only node 0 has the map, with values in it that
// node 1 has parked.
func parkedMesh(t *testing.T, ctx context.Context) (m *kit.Mesh, logs *kit.Log, g *cachemesh.Group[string], keys []string) {
	logs = new(kit.Log)
	m = kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.Logger = logs.Logger() })
	g, err := cachemesh.NewGroup[string](m.Nodes[0], "map", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	kit.Must(t, err)
	for i := range 100 {
		keys = append(keys, fmt.Sprint("key", i))
		kit.Must(t, g.Set(ctx, keys[i], "v", 0))
	}
	m.Nodes = append(m.Nodes, m.NewNode(1, func(_ int, o *cachemesh.Options) { o.Logger = logs.Logger() }))
	kit.Must(t, m.Nodes[1].Start())
	m.Settle(2)
	if m.Nodes[1].Stats().Parked == 0 {
		t.Fatal("nothing is parked")
	}
	return m, logs, g, keys
}

// TestParkedValuesLeave: a member that leaves before it registered the group hands on
// what it has parked.
func TestParkedValuesLeave(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, _, g, keys := parkedMesh(t, ctx)
		kit.Must(t, m.Nodes[1].Shutdown(ctx))
		if n := missing(t, ctx, g, keys); n > 0 {
			t.Errorf("%d of %d values are lost", n, len(keys))
		}
		if bytes, groups := seam.Inside(m.Nodes[1]).Parked(); bytes != 0 || groups != 0 {
			t.Errorf("%d bytes of %d groups are still parked", bytes, groups)
		}
	})
}

// TestParkedValuesMoveOn: they go with their keys to a member that joins, deleted ones
// do not, and nothing that was moved comes back when the group is registered.
func TestParkedValuesMoveOn(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, _, g, keys := parkedMesh(t, ctx)
		gone := m.KeyOf("map", 1)
		kit.Must(t, g.Delete(ctx, gone))
		n2 := m.NewNode(2)
		g2, err := cachemesh.NewGroup[string](n2, "map", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		m.Nodes = append(m.Nodes, n2)
		kit.Must(t, n2.Start())
		m.Settle(3)
		later := ""
		for _, key := range keys {
			if m.Owner("map", key) == 2 && key != gone {
				kit.MustGet(t, g2, key, "v")
				later = key
			}
		}
		kit.Must(t, g.Delete(ctx, later))
		_, err = cachemesh.NewGroup[string](m.Nodes[1], "map", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		time.Sleep(time.Second)
		for _, key := range []string{gone, later} {
			if v, err := g2.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("a deleted key came back: %q, %v", v, err)
			}
		}
		if n := missing(t, ctx, g, keys); n != 2 {
			t.Errorf("%d of %d values are missing, want the 2 that were deleted", n, len(keys))
		}
	})
}

// TestParkedValuesAreSaidWhenLost: who cannot hand them on says how many.
func TestParkedValuesAreSaidWhenLost(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, logs, g, keys := parkedMesh(t, ctx)
		m.Net.Partition([]string{kit.Host(0)}, []string{kit.Host(1)})
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		err := m.Nodes[1].Shutdown(short)
		m.Nodes[1] = nil
		n := missing(t, ctx, g, keys)
		if le, ok := errors.AsType[*cachemesh.LostError](err); !ok || le.Values != n || n == 0 {
			t.Errorf("Shutdown: %v, and %d values are missing", err, n)
		}
		if logs.Count("are lost", "group=map", fmt.Sprint("values=", n)) != 1 {
			t.Errorf("no line about it: %v", logs)
		}
	})
}
