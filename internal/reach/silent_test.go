package reach_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestSilentOwner stops an owner as SIGSTOP does. From that moment on callers with
// 500 ms get what they ask for.
func TestSilentOwner(t *testing.T) {
	for _, hot := range []int{0, 1} {
		for _, many := range []bool{false, true} {
			t.Run(fmt.Sprintf("hot reads %d, GetMany %t", hot, many), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) { silentOwner(t, ctx, hot, many) })
			})
		}
	}
}

func silentOwner(t *testing.T, ctx context.Context, hot int, many bool) {
	const deadline, victim = 500 * time.Millisecond, 2
	m := kit.New(t, 3)
	m.Net.SetLatency(100*time.Microsecond, time.Millisecond)
	groups := kit.GroupOn(m, "g", func(ctx context.Context, key string) (string, error) {
		time.Sleep(10 * time.Millisecond)
		return "value of " + key, nil
	}, cachemesh.GroupOptions[string]{HotReads: hot})
	keys := m.KeysOf("g", victim, 30)
	for i, key := range keys {
		kit.MustGet(t, groups[i%3], key, "value of "+key)
	}
	m.Net.Pause(kit.Host(victim))
	var mu sync.Mutex // guards the three
	gets, failed, slowest := 0, 0, time.Duration(0)
	var readers sync.WaitGroup
	start := time.Now()
	for r := range 8 {
		readers.Go(func() {
			for i := r; time.Since(start) < 2*time.Second; i++ {
				short, cancel := context.WithTimeout(ctx, deadline)
				began, err := time.Now(), error(nil)
				if key := keys[i%len(keys)]; many {
					_, err = groups[r%2].GetMany(short, keys)
				} else {
					_, err = groups[r%2].Get(short, key)
				}
				cancel()
				mu.Lock()
				gets++
				if err != nil {
					failed++
				}
				slowest = max(slowest, time.Since(began))
				mu.Unlock()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	readers.Wait()
	if 100*failed > gets {
		t.Errorf("%d of %d Gets failed, want 1 %% at most", failed, gets)
	}
	t.Logf("%d of %d Gets failed, the slowest took %v", failed, gets, slowest)
	m.Net.Resume(kit.Host(victim))
}

// TestSlowLoaderIsNotSilence: an owner that lives is waited for, however long its
// loader takes.
func TestSlowLoaderIsNotSilence(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := kit.New(t, 3), newCounted()
		groups := kit.GroupOn(m, "g", func(ctx context.Context, key string) (string, error) {
			time.Sleep(5 * time.Second)
			return tb.load(ctx, key)
		}, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 1)
		tb.Store(ctx, key, "v")
		start := time.Now()
		kit.MustGet(t, groups[0], key, "v")
		if took := time.Since(start); took != 5*time.Second || tb.loadsOf(key) != 1 {
			t.Errorf("answered after %v and %d loads, want 5s and one", took, tb.loadsOf(key))
		}
	})
}

// TestSilentMemberWakes: a member that was silent for a moment is asked again as
// soon as it says something.
func TestSilentMemberWakes(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := kit.New(t, 3), newCounted()
		groups := kit.GroupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{NoHotCopies: true})
		key := m.KeyOf("g", 1)
		tb.Store(ctx, key, "v")
		kit.MustGet(t, groups[0], key, "v")
		m.Net.Pause(kit.Host(1))
		kit.MustGet(t, groups[0], key, "v")
		if n := tb.loadsOf(key); n != 2 {
			t.Errorf("%d loads while the owner was silent, want a stand-in's", n-1)
		}
		m.Net.Resume(kit.Host(1))
		time.Sleep(time.Millisecond)
		for range 10 {
			kit.MustGet(t, groups[0], key, "v")
		}
		if n := tb.loadsOf(key); n != 2 {
			t.Errorf("%d loads after the owner woke, want none: it has the value", n-2)
		}
	})
}
