package cachemesh_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestGroupRegisteredAfterStart: between a member's Start and its NewGroup, Gets, GetManys
// and Sets of a map's keys there wait, on the other members, and do not fail. A member
// that has run for a while without the group says so at once.
func TestGroupRegisteredAfterStart(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		g0, err := cachemesh.NewGroup[string](m.nodes[0], "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		ks := movesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 30)
		for _, k := range ks {
			must(t, g0.Set(ctx, k, "v", 0))
		}
		n1 := m.newNode(1)
		m.nodes = append(m.nodes, n1)
		must(t, n1.Start())
		failed := make(chan error, 3)
		go func() { failed <- g0.Set(ctx, ks[0], "new", 0) }()
		go func() {
			v, err := g0.Get(ctx, ks[1])
			if v != "v" {
				err = errors.Join(err, errors.New("another value: "+v))
			}
			failed <- err
		}()
		go func() {
			got, err := g0.GetMany(ctx, ks[2:])
			if len(got) != len(ks)-2 {
				err = errors.Join(err, errors.New("values are missing"))
			}
			failed <- err
		}()
		time.Sleep(time.Second)
		g1, err := cachemesh.NewGroup[string](n1, "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		for range 3 {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		mustGet(t, g1, ks[0], "new")

		other, err := cachemesh.NewGroup[string](m.nodes[0], "of one", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		time.Sleep(2 * time.Second)
		began := time.Now()
		if err := other.Set(ctx, m.keyOf("of one", 1), "v", 0); !errors.Is(err, cachemesh.ErrUnknownGroup) || time.Since(began) > time.Second {
			t.Errorf("Set where nobody registers the group: %v after %v", err, time.Since(began))
		}
	})
}

// TestManyValuesBeforeTheGroup: more values than can be parked wait for a member that
// registers the group after its Start.
func TestManyValuesBeforeTheGroup(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		o := cachemesh.GroupOptions[[]byte]{MaxBytes: 512 << 20}
		g0, err := cachemesh.NewGroup[[]byte](m.nodes[0], "g", nil, o)
		must(t, err)
		ks := movesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 160)
		for _, k := range ks {
			must(t, g0.Set(ctx, k, make([]byte, 512<<10), 0))
		}
		n1 := m.newNode(1)
		m.nodes = append(m.nodes, n1)
		must(t, n1.Start())
		time.Sleep(10 * time.Second)
		g1, err := cachemesh.NewGroup[[]byte](n1, "g", nil, o)
		must(t, err)
		m.settle(2)
		if n := missing(t, ctx, g1, ks); n > 0 || m.nodes[0].Stats().Lost > 0 {
			t.Errorf("%d of %d values are lost, %d said to be", n, len(ks), m.nodes[0].Stats().Lost)
		}
	})
}
