package cachemesh_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
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

func TestColdKeyInMemory(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
		for _, g := range groups {
			mustGet(t, g, "k", "value of k")
		}
		m.kill(2)
		m.settle(2)
	})
}
