package handover_test

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A member that is used all the time, by its own callers, leaves all the same: also
// beside Gets of a group that nobody else has, whose loads are made here.
func TestShutdownBesideTraffic(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		load := func(ctx context.Context, key string) (string, error) {
			return "v", kit.Pause(ctx, 5*time.Millisecond)
		}
		mine, err := cachemesh.NewGroup(m.Nodes[2], "mine", load, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		g := kit.GroupOn(m, "g", load, cachemesh.GroupOptions[string]{})
		traffic, stop := context.WithCancel(ctx)
		defer stop()
		for i, key := range m.KeysOf("mine", 0, 4) {
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
		kit.Must(t, kit.Pause(ctx, time.Second))
		began := time.Now()
		leaver := m.Nodes[2]
		m.Nodes[2] = nil
		if err := leaver.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("Shutdown took %v", took)
		}
		stop()
	})
}
