package cachemesh_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// leaveOut cuts node i off from the others, and returns when these are without it.
func (m *mesh) leaveOut(t *testing.T, ctx context.Context, i int) {
	m.t.Helper()
	m.net.Partition([]string{hostName(i)})
	for j, n := range m.nodes {
		if j != i {
			awaitMembers(t, ctx, n, len(m.nodes)-1)
			must(t, cachemesh.AwaitSettled(ctx, n, len(m.nodes)-1))
		}
	}
}

// A right that ends while the Writer runs: the write does not return nil, whatever the
// Writer did, and once the mesh is whole everybody sees what the origin has.
func TestWriterAtTheEdge(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := newMesh(t, 3), newDatabase()
		g := groupOn(m, "g", d.load, cachemesh.GroupOptions[string]{Writer: d})
		key := m.keyOf("g", 0)
		must(t, g[0].Set(ctx, key, "first", 0))
		for i := range g {
			mustGet(t, g[i], key, "first")
		}
		var slow atomic.Bool
		slow.Store(true)
		d.before = func(context.Context, string) error {
			if slow.Swap(false) {
				time.Sleep(6 * time.Second) // it ignores its context
			}
			return nil
		}
		m.net.Partition([]string{hostName(0)})
		err := g[0].Set(ctx, key, "second", 0) // begins by right
		pe, ok := errors.AsType[*cachemesh.PeerError](err)
		we, isWrite := errors.AsType[*cachemesh.WriteError](err)
		if err == nil || ok && !pe.MaybeApplied {
			t.Errorf("a Set whose right ended while the Writer ran: %v", err)
		}
		t.Logf("%v %v %v", err, we, isWrite)
		must(t, cachemesh.Pause(ctx, m.nodes[0], 8*time.Second)) // the Writer returns
		m.net.Heal()
		for i := range 3 {
			awaitMembers(t, ctx, m.nodes[i], 3)
		}
		m.settle(3)
		must(t, cachemesh.Pause(ctx, m.nodes[0], 3*time.Second)) // what is owed is paid
		for i := range g {
			mustGet(t, g[i], key, "second")
		}
	})
}

// Without a loader the number of the primary decides which value is newer, and not the
// clock of an owner that was cut off.
func TestSkewedVersions(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		g := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
		keys := m.keysOf("g", 0, 4)
		cachemesh.SkewVersions(m.nodes[0], time.Hour)
		for _, key := range keys {
			must(t, g[0].Set(ctx, key, "by the clock ahead", 0))
		}
		m.leaveOut(t, ctx, 0)
		for _, key := range keys[:2] { // on both sides
			err := g[0].Set(ctx, key, "beyond the cut", 0)
			if err != nil && !errors.Is(err, cachemesh.ErrMinority) && !errors.Is(err, cachemesh.ErrUnsettled) {
				t.Errorf("beyond the cut: %v", err)
			}
		}
		for _, key := range keys[:3] {
			must(t, g[1].Set(ctx, key, "by the majority", 0))
		}
		must(t, g[1].Delete(ctx, keys[3]))
		m.net.Heal()
		for i := range 3 {
			awaitMembers(t, ctx, m.nodes[i], 3)
		}
		m.settle(3)
		must(t, cachemesh.Pause(ctx, m.nodes[0], time.Second))
		for i := range g {
			for _, key := range keys[:3] {
				mustGet(t, g[i], key, "by the majority")
			}
			if v, err := g[i].Get(ctx, keys[3]); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("a deleted key is back: %q, %v", v, err)
			}
		}
	})
}
