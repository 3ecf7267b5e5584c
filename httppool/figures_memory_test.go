package httppool_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// memoryBytes is what live objects take, and the stacks of goroutines.
func memoryBytes() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc + s.StackInuse)
}

// TestWhatAPeerTakes grows meshes in one process, whose members have called each other.
// A mesh of n takes n times what a member takes alone, and n(n-1) times what it takes
// for a peer.
func TestWhatAPeerTakes(t *testing.T) {
	took := func(n int) float64 {
		before := memoryBytes()
		m := kit.NewReal(t, n)
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{NoHotCopies: true})
		for _, g := range groups {
			for i := range n {
				kit.MustGet(t, g, m.KeyOf("g", i), "value of "+m.KeyOf("g", i))
			}
		}
		bytes := memoryBytes() - before
		m.Close()
		m.Nodes = nil
		return float64(bytes)
	}
	took(2) // what is made once for all
	a, b := took(2), took(6)
	peer := (b - 3*a) / (6*5 - 3*2)
	t.Logf("a member takes %.0f KiB, and %.0f KiB for each peer", (a-2*peer)/2/1024, peer/1024)
	if peer > 256<<10 {
		t.Errorf("a peer takes %.0f bytes", peer)
	}
}

// TestWhatWaitingTakes: Gets that wait for one load, for a load each, and for a turn.
func TestWhatWaitingTakes(t *testing.T) {
	const calls = 2000
	for name, tt := range map[string]struct {
		opts cachemesh.GroupOptions[string]
		keys int
		most int64
	}{
		"one load":    {cachemesh.GroupOptions[string]{}, 1, 8 << 10},
		"a load each": {cachemesh.GroupOptions[string]{}, calls, 20 << 10},
		"a turn":      {cachemesh.GroupOptions[string]{MaxLoads: 1}, calls, 16 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, release := kit.New(t, 1), make(chan struct{})
				g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { <-release; return "", nil }, tt.opts)[0]
				before := memoryBytes()
				var all sync.WaitGroup
				for i := range calls {
					all.Go(func() { g.Get(ctx, fmt.Sprint(i%tt.keys)) })
				}
				time.Sleep(time.Millisecond)
				each := (memoryBytes() - before) / calls
				t.Logf("%d bytes a call, with its goroutine", each)
				if each > tt.most && !kit.Race {
					t.Errorf("%d bytes a call", each)
				}
				close(release)
				all.Wait()
			})
		})
	}
}
