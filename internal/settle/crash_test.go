package settle_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

const crashKeys = 300

// TestCrash kills one of three members under Gets of all keys from the others.
func TestCrash(t *testing.T) {
	for _, how := range []string{"reset", "silent"} {
		t.Run(how, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 3)
				m.Net.SetLatency(200*time.Microsecond, time.Millisecond)
				crash(t, m, func() {
					if how == "silent" { // the machine is gone: nobody says so
						m.Net.Pause(kit.Host(2))
						return
					}
					m.Net.Kill(kit.Host(2))
				})
				m.Net.Resume(kit.Host(2))
			})
		})
	}
}

func TestCrashOnRealSockets(t *testing.T) {
	m := kit.NewReal(t, 3)
	victim := m.Nodes[2]
	crash(t, m, func() { victim.Close() })
}

// crash reads all keys through the two survivors while kill ends the third: every
// Get answers, and within 3 s there is a new view, in which everything works.
func crash(t *testing.T, m *kit.Mesh, kill func()) {
	var loads atomic.Int64
	groups := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) {
		loads.Add(1)
		return "value of " + key, nil
	}, cachemesh.GroupOptions[string]{})
	for i := range crashKeys {
		kit.MustGet(t, groups[i%3], fmt.Sprint("key", i), fmt.Sprint("value of key", i))
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	var gets, slowest atomic.Int64
	for r := range 8 {
		readers.Go(func() {
			for i := r; ctx.Err() == nil; i++ {
				key := fmt.Sprint("key", i%crashKeys)
				start := time.Now()
				v, err := groups[i%2].Get(context.Background(), key)
				if v != "value of "+key || err != nil {
					t.Errorf("Get(%q) = %q, %v", key, v, err)
					return
				}
				gets.Add(1)
				if took := int64(time.Since(start)); took > slowest.Load() {
					slowest.Store(took)
				}
				kit.Pause(ctx, 100*time.Microsecond)
			}
		})
	}
	kit.Must(t, kit.Pause(ctx, 50*time.Millisecond))
	kill()
	start := time.Now()
	killed := m.Nodes[2]
	m.Nodes[2] = nil
	t.Cleanup(func() { killed.Close() })
	for _, n := range m.Nodes[:2] {
		kit.Must(t, kit.AwaitSettled(ctx, n, 2))
	}
	took := time.Since(start)
	kit.Must(t, kit.Pause(ctx, 200*time.Millisecond))
	stop()
	readers.Wait()
	if took > 4*time.Second { // its right, 3 s, may have been given just before
		t.Errorf("a new view settled after %v, want 4s at most", took)
	}
	for i := range crashKeys {
		for _, g := range groups[:2] {
			kit.MustGet(t, g, fmt.Sprint("key", i), fmt.Sprint("value of key", i))
		}
	}
	t.Logf("new view settled after %v; %d Gets, all answered, the slowest in %v; %d loads of %d keys",
		took, gets.Load(), time.Duration(slowest.Load()), loads.Load(), crashKeys)
}
