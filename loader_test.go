package cachemesh_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A gate is a loader that tells when it was entered and waits to be let go.
type gate struct {
	loads   atomic.Int64
	entered chan context.Context
	release chan string
}

func newGate() *gate {
	return &gate{entered: make(chan context.Context, 16), release: make(chan string)}
}

func (g *gate) load(ctx context.Context, _ string) (string, error) {
	g.loads.Add(1)
	g.entered <- ctx
	select {
	case v := <-g.release:
		return v, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// An outcome is what a Get on a goroutine of its own returned.
type outcome struct {
	v   string
	err error
}

func goGet(ctx context.Context, g *cachemesh.Group[string], key string) <-chan outcome {
	c := make(chan outcome, 1)
	go func() {
		v, err := g.Get(ctx, key)
		c <- outcome{v, err}
	}()
	return c
}

func TestLeaderCancelsItselfAlone(t *testing.T) {
	for owner := range 2 {
		t.Run([]string{"leader owns the key", "leader does not own the key"}[owner], func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				m, gate := newMesh(t, 3), newGate()
				groups := groupOn(m, "g", gate.load, cachemesh.GroupOptions[string]{})
				key := m.keyOf("g", owner)
				leaderCtx, cancel := context.WithCancel(ctx)
				leader := goGet(leaderCtx, groups[0], key)
				<-gate.entered
				short, cancelShort := context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancelShort()
				impatient := goGet(short, groups[1], key)
				others := []<-chan outcome{goGet(ctx, groups[0], key), goGet(ctx, groups[1], key), goGet(ctx, groups[2], key)}
				synctest.Wait()
				cancel()
				if out := <-leader; !errors.Is(out.err, context.Canceled) {
					t.Errorf("the leader got %v, want Canceled", out.err)
				}
				start := time.Now()
				if out := <-impatient; !errors.Is(out.err, context.DeadlineExceeded) || time.Since(start) != 50*time.Millisecond {
					t.Errorf("the impatient got %v after %v, want DeadlineExceeded after 50ms", out.err, time.Since(start))
				}
				gate.release <- "v"
				for i, c := range others {
					if out := <-c; out.v != "v" || out.err != nil {
						t.Errorf("waiter %d got %q, %v", i, out.v, out.err)
					}
				}
				if n := gate.loads.Load(); n != 1 {
					t.Errorf("%d loads, want 1", n)
				}
			})
		})
	}
}

func TestLoaderIsCancelledWhenNobodyWaits(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := newMesh(t, 2), newGate()
		groups := groupOn(m, "g", gate.load, cachemesh.GroupOptions[string]{})
		key := m.keyOf("g", 0)
		first, cancelFirst := context.WithCancel(ctx)
		second, cancelSecond := context.WithCancel(ctx)
		a, b := goGet(first, groups[0], key), goGet(second, groups[1], key)
		loading := <-gate.entered
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
		again := goGet(ctx, groups[1], key)
		<-gate.entered
		gate.release <- "v2"
		if out := <-again; out.v != "v2" || out.err != nil {
			t.Errorf("Get afterwards = %q, %v", out.v, out.err)
		}
	})
}

func TestLoadTimeout(t *testing.T) {
	for name, obeys := range map[string]bool{"loader obeys its context": true, "loader ignores its context": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				m := newMesh(t, 2)
				stuck := make(chan struct{})
				var fail atomic.Bool
				fail.Store(true)
				groups := groupOn(m, "g", func(ctx context.Context, key string) (string, error) {
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
				key := m.keyOf("g", 0)
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
				mustGet(t, groups[1], key, "v")
				close(stuck)
				synctest.Wait()
				mustGet(t, groups[1], key, "v") // and not "late"
			})
		})
	}
}
