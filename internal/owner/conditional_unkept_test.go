package owner_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestUpdateOfWhatIsTooLargeToKeep says so, and does not load it for ever.
func TestUpdateOfWhatIsTooLargeToKeep(t *testing.T) {
	large := strings.Repeat("x", 1<<20)
	load := func(context.Context, string) (string, error) { return large, nil }
	onThree(t, load, cachemesh.GroupOptions[string]{MaxBytes: 1 << 20}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[string]) {
		for i := range 3 {
			calls := 0
			_, err := g(i).Update(t.Context(), "key", 0, func(string, bool) (string, cachemesh.Action, error) {
				if calls++; calls > 5 {
					return "", cachemesh.Keep, errors.New("without end")
				}
				return "small", cachemesh.Replace, nil
			})
			if !errors.Is(err, cachemesh.ErrTooLarge) || calls != 1 {
				t.Errorf("%v after %d calls", err, calls)
			}
		}
	})
}

// TestConditionsOfWhatTheLoaderDoesNotKeep: what is written has a time of its own then.
func TestConditionsOfWhatTheLoaderDoesNotKeep(t *testing.T) {
	load := func(ctx context.Context, key string) (int, error) {
		cachemesh.KeepFor(ctx, key, 0)
		return 7, nil
	}
	onThree(t, load, cachemesh.GroupOptions[int]{}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[int]) {
		ctx := t.Context()
		for i, key := range kit.Numbered("key", 6) {
			g := g(i % 3)
			if item, err := g.Item(ctx, key); item.Value != 7 || err != nil || item.Age != 0 || !item.Version.IsZero() {
				t.Errorf("%+v, %v", item, err)
			}
			if v, err := cachemesh.Increment(ctx, g, key, 3, 0); v != 10 || err != nil {
				t.Errorf("%d, %v", v, err)
			}
			if v, err := g.Peek(ctx, key); v != 10 || err != nil {
				t.Errorf("it has %d, %v", v, err)
			}
			g.Delete(ctx, key)
			if w, err := g.SetIf(ctx, key, 8, cachemesh.KeepTTL, cachemesh.Condition{Present: true}); !w.Done || w.Version.IsZero() || err != nil {
				t.Errorf("%+v, %v", w, err)
			}
			if v, err := g.Peek(ctx, key); v != 8 || err != nil {
				t.Errorf("it has %d, %v", v, err)
			}
		}
	})
}

// TestIncrementAcrossVersions: whoever cannot read the sum is told so, and nothing is counted.
func TestIncrementAcrossVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 2)
		var groups [2]*cachemesh.Group[int]
		for i := range groups {
			g, err := cachemesh.NewGroup[int](c.Node(i), "g", nil, cachemesh.GroupOptions[int]{Replicas: 1, Version: string("ab"[i])})
			kit.Must(t, err)
			groups[i] = g
		}
		for i, key := range kit.Numbered("key", 12) {
			sum, err := cachemesh.Increment(t.Context(), groups[i%2], key, 3, 0)
			v, found := groups[i%2].Get(t.Context(), key)
			if err == nil && (sum != 3 || v != 3) || err != nil && !errors.Is(err, cachemesh.ErrOtherVersion) {
				t.Errorf("%d, %v, and it has %d, %v", sum, err, v, found)
			}
			if _, err := groups[1-i%2].Get(t.Context(), key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("the other version: %v", err)
			}
		}
	})
}

// TestLoadOfAConditionEndsWithItsGroup or its node: a Close that has no time left does not wait
// for the load's to pass.
func TestLoadOfAConditionEndsWithItsGroup(t *testing.T) {
	var running atomic.Int64
	load := func(ctx context.Context, _ string) (int, error) {
		running.Add(1)
		defer running.Add(-1)
		<-ctx.Done()
		return 0, ctx.Err()
	}
	ends := func(t *testing.T, g func(int) *cachemesh.Group[int], end func(i int)) {
		done := make(chan error, 1)
		go func() {
			_, err := g(0).SetIfAbsent(t.Context(), "key", 1, 0)
			done <- err
		}()
		time.Sleep(time.Second)
		if running.Load() != 1 {
			t.Fatal("no load")
		}
		start := time.Now()
		for i := range 3 {
			end(i)
		}
		if err := <-done; err == nil {
			t.Error("set")
		}
		synctest.Wait()
		if took := time.Since(start); took > 10*time.Second || running.Load() != 0 {
			t.Errorf("Close took %v, %d loads run", took, running.Load())
		}
	}
	onThree(t, load, cachemesh.GroupOptions[int]{}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[int]) {
		ends(t, g, func(i int) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			g(i).Close(ctx)
		})
	})
	onThree(t, load, cachemesh.GroupOptions[int]{}, func(t *testing.T, c *cachemeshtest.Cluster, g func(int) *cachemesh.Group[int]) {
		ends(t, g, c.Kill)
	})
}
