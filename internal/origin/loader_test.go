package origin_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

func TestLeaderCancelsItselfAlone(t *testing.T) {
	for owner := range 2 {
		t.Run([]string{"leader owns the key", "leader does not own the key"}[owner], func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, gate := kit.New(t, 3), kit.NewGate()
				groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{})
				key := m.KeyOf("g", owner)
				leaderCtx, cancel := context.WithCancel(ctx)
				leader := kit.GoGet(leaderCtx, groups[0], key)
				<-gate.Entered
				short, cancelShort := context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancelShort()
				impatient := kit.GoGet(short, groups[1], key)
				others := []<-chan kit.Outcome{kit.GoGet(ctx, groups[0], key), kit.GoGet(ctx, groups[1], key), kit.GoGet(ctx, groups[2], key)}
				synctest.Wait()
				cancel()
				if out := <-leader; !errors.Is(out.Err, context.Canceled) {
					t.Errorf("the leader got %v, want Canceled", out.Err)
				}
				start := time.Now()
				if out := <-impatient; !errors.Is(out.Err, context.DeadlineExceeded) || time.Since(start) != 50*time.Millisecond {
					t.Errorf("the impatient got %v after %v, want DeadlineExceeded after 50ms", out.Err, time.Since(start))
				}
				gate.Release <- "v"
				for i, c := range others {
					if out := <-c; out.V != "v" || out.Err != nil {
						t.Errorf("waiter %d got %q, %v", i, out.V, out.Err)
					}
				}
				if n := gate.Loads.Load(); n != 1 {
					t.Errorf("%d loads, want 1", n)
				}
			})
		})
	}
}

func TestLoaderIsCancelledWhenNobodyWaits(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := kit.New(t, 2), kit.NewGate()
		groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 0)
		first, cancelFirst := context.WithCancel(ctx)
		second, cancelSecond := context.WithCancel(ctx)
		a, b := kit.GoGet(first, groups[0], key), kit.GoGet(second, groups[1], key)
		loading := <-gate.Entered
		synctest.Wait()
		cancelFirst()
		<-a
		synctest.Wait()
		if loading.Err() != nil {
			t.Fatal("the loader was cancelled while somebody waited")
		}
		cancelSecond()
		<-b
		<-loading.Done()
		// The key works afterwards.
		again := kit.GoGet(ctx, groups[1], key)
		<-gate.Entered
		gate.Release <- "v2"
		if out := <-again; out.V != "v2" || out.Err != nil {
			t.Errorf("Get afterwards = %q, %v", out.V, out.Err)
		}
	})
}

func TestLoadTimeout(t *testing.T) {
	for name, obeys := range map[string]bool{"loader obeys its context": true, "loader ignores its context": false} {
		t.Run(name, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 2)
				stuck := make(chan struct{})
				var fail atomic.Bool
				fail.Store(true)
				groups := kit.GroupOn(m, "g", func(ctx context.Context, key string) (string, error) {
					switch {
					case !fail.Load():
						return "v", nil
					case obeys:
						<-ctx.Done()
						return "", ctx.Err()
					}
					<-stuck
					return "late", nil
				}, cachemesh.GroupOptions[string]{LoadTimeout: 100 * time.Millisecond})
				key := m.KeyOf("g", 0)
				for i, g := range groups {
					start := time.Now()
					_, err := g.Get(ctx, key)
					le, ok := errors.AsType[*cachemesh.LoadError](err)
					if !ok || !errors.Is(err, context.DeadlineExceeded) || le.Member != "node0" {
						t.Errorf("node%d: %v, want a LoadError of node0 with DeadlineExceeded", i, err)
					}
					if took := time.Since(start); took > 120*time.Millisecond {
						t.Errorf("node%d waited %v", i, took)
					}
				}
				fail.Store(false)
				kit.MustGet(t, groups[1], key, "v")
				close(stuck)
				synctest.Wait()
				kit.MustGet(t, groups[1], key, "v") // and not "late"
			})
		})
	}
}
