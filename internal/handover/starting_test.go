package handover_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestGroupRegisteredAfterStart: between a member's Start and its NewGroup, Gets, GetManys
// and Sets of a map's keys there wait, on the other members, and do not fail. A member
// that has run for a while without the group says so at once.
func TestGroupRegisteredAfterStart(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		g0, err := cachemesh.NewGroup[string](m.Nodes[0], "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		ks := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 30)
		for _, k := range ks {
			kit.Must(t, g0.Set(ctx, k, "v", 0))
		}
		n1 := m.NewNode(1)
		m.Nodes = append(m.Nodes, n1)
		kit.Must(t, n1.Start())
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
		g1, err := cachemesh.NewGroup[string](n1, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		for range 3 {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		kit.MustGet(t, g1, ks[0], "new")

		other, err := cachemesh.NewGroup[string](m.Nodes[0], "of one", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		time.Sleep(2 * time.Second)
		began := time.Now()
		if err := other.Set(ctx, m.KeyOf("of one", 1), "v", 0); !errors.Is(err, cachemesh.ErrUnknownGroup) || time.Since(began) > time.Second {
			t.Errorf("Set where nobody registers the group: %v after %v", err, time.Since(began))
		}
	})
}

// TestManyValuesBeforeTheGroup: more values than can be parked wait for a member that
// registers the group after its Start.
func TestManyValuesBeforeTheGroup(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		o := cachemesh.GroupOptions[[]byte]{MaxBytes: 512 << 20, Replicas: 1}
		g0, err := cachemesh.NewGroup[[]byte](m.Nodes[0], "g", nil, o)
		kit.Must(t, err)
		ks := kit.MovesTo("g", []string{"node0"}, []string{"node0", "node1"}, "node0", "node1", 160)
		for _, k := range ks {
			kit.Must(t, g0.Set(ctx, k, make([]byte, 512<<10), 0))
		}
		n1 := m.NewNode(1)
		m.Nodes = append(m.Nodes, n1)
		kit.Must(t, n1.Start())
		time.Sleep(10 * time.Second)
		g1, err := cachemesh.NewGroup[[]byte](n1, "g", nil, o)
		kit.Must(t, err)
		m.Settle(2)
		if n := missing(t, ctx, g1, ks); n > 0 || m.Nodes[0].Stats().Lost > 0 {
			t.Errorf("%d of %d values are lost, %d said to be", n, len(ks), m.Nodes[0].Stats().Lost)
		}
	})
}
