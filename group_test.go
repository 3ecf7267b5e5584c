package cachemesh_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
)

func TestColdKeyIsLoadedOnce(t *testing.T) {
	m := newRealMesh(t, 5)
	var loads atomic.Int64
	groups := groupOn(m, "g", func(ctx context.Context, key string) (string, error) {
		loads.Add(1)
		select {
		case <-time.After(200 * time.Millisecond):
			return "v", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}, cachemesh.GroupOptions[string]{})
	const gets = 10_000
	var all sync.WaitGroup
	var failed atomic.Int64
	start := time.Now()
	for i := range gets {
		all.Go(func() {
			if v, err := groups[i%5].Get(context.Background(), "cold"); v != "v" || err != nil {
				if failed.Add(1) == 1 {
					t.Errorf("Get = %q, %v", v, err)
				}
			}
		})
	}
	all.Wait()
	if loads.Load() != 1 || failed.Load() != 0 {
		t.Errorf("%d loads, %d failed Gets, want 1 and 0", loads.Load(), failed.Load())
	}
	t.Logf("%d Gets over 5 members: %d load, %v", gets, loads.Load(), time.Since(start))
}

// TestColdKeyInMemory asks for a cold key on every member at once: one load. The
// owner crashes: one more.
func TestColdKeyInMemory(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := newMesh(t, 3), newGate()
		groups := groupOn(m, "g", gate.load, cachemesh.GroupOptions[string]{})
		key := m.keyOf("g", 2)
		for round := range int64(2) {
			var waiting []<-chan outcome
			for range 20 {
				for _, g := range groups[:len(groups)-int(round)] {
					waiting = append(waiting, goGet(ctx, g, key))
				}
			}
			<-gate.entered
			synctest.Wait()
			gate.release <- "v"
			for _, c := range waiting {
				if out := <-c; out.v != "v" || out.err != nil {
					t.Errorf("Get = %q, %v", out.v, out.err)
				}
			}
			if n := gate.loads.Load(); n != round+1 {
				t.Fatalf("%d loads, want %d", n, round+1)
			}
			if round == 0 {
				m.kill(2)
				m.settle(2)
			}
		}
	})
}
