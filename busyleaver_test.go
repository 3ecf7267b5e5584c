package cachemesh_test

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A member that is used all the time, by its own callers, leaves all the same: also
// beside Gets of a group that nobody else has, whose loads are made here.
func TestShutdownBesideTraffic(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		load := func(ctx context.Context, key string) (string, error) {
			return "v", cachemesh.Pause(ctx, m.nodes[0], 5*time.Millisecond)
		}
		mine, err := cachemesh.NewGroup(m.nodes[2], "mine", load, cachemesh.GroupOptions[string]{})
		must(t, err)
		g := groupOn(m, "g", load, cachemesh.GroupOptions[string]{})
		traffic, stop := context.WithCancel(ctx)
		defer stop()
		for i, key := range m.keysOf("mine", 0, 4) {
			go func() {
				for traffic.Err() == nil {
					mine.Get(traffic, key)
					time.Sleep(time.Microsecond)
				}
			}()
			go func() {
				for traffic.Err() == nil {
					g[i%3].Delete(traffic, key)
					g[2].Get(traffic, key)
					time.Sleep(time.Millisecond)
				}
			}()
		}
		must(t, cachemesh.Pause(ctx, m.nodes[0], time.Second))
		began := time.Now()
		leaver := m.nodes[2]
		m.nodes[2] = nil
		if err := leaver.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("Shutdown took %v", took)
		}
		stop()
	})
}
