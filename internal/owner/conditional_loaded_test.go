package owner_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestConditionsOfLoadedValues: what is absent is what a Get would say.
func TestConditionsOfLoadedValues(t *testing.T) {
	rows := map[string]int{"row": 7}
	var loads atomic.Int64
	load := func(_ context.Context, key string) (int, error) {
		loads.Add(1)
		if v, ok := rows[key]; ok {
			return v, nil
		}
		return 0, cachemesh.ErrNotFound
	}
	onThree(t, load, cachemesh.GroupOptions[int]{}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[int]) {
		ctx := t.Context()
		for i := range 3 {
			if done, err := g(i).SetIfAbsent(ctx, "row", 8, 0); done || err != nil {
				t.Errorf("it was set over the row: %t, %v", done, err)
			}
		}
		if n := loads.Load(); n != 1 {
			t.Errorf("%d loads: what was loaded for the condition is not kept", n)
		}
		if done, err := g(0).SetIfAbsent(ctx, "no row", 8, 0); !done || err != nil {
			t.Errorf("%t, %v", done, err)
		}
		if v, err := cachemesh.Increment(ctx, g(1), "row", 3, 0); v != 10 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
		item, err := g(2).Item(ctx, "row")
		if err != nil || item.Value != 10 {
			t.Errorf("%+v, %v", item, err)
		}
		if w, err := g(0).SetIf(ctx, "row", 1, 0, cachemesh.Condition{Version: item.Version}); !w.Done || err != nil {
			t.Errorf("%+v, %v", w, err)
		}
	})
}

// TestConditionOfALoadThatFails: nothing is changed, and the loader's error comes.
func TestConditionOfALoadThatFails(t *testing.T) {
	down := errors.New("down")
	load := func(context.Context, string) (int, error) { return 0, down }
	onThree(t, load, cachemesh.GroupOptions[int]{Errors: []error{down}}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[int]) {
		for i, key := range kit.Numbered("key", 6) {
			done, err := g(i%3).SetIfAbsent(t.Context(), key, 8, 0)
			if _, ok := errors.AsType[*cachemesh.LoadError](err); done || !ok || !errors.Is(err, down) {
				t.Errorf("%t, %v", done, err)
			}
			if v, err := g(i%3).Peek(t.Context(), key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("it has %v, %v", v, err)
			}
		}
	})
}

// TestConditionWithinALoad: a loader that has the only turn makes a write on a condition that
// needs a load. That goes with its turn, as a Get would.
func TestConditionWithinALoad(t *testing.T) {
	var g func(int) *cachemesh.Group[int]
	load := func(ctx context.Context, key string) (int, error) {
		if inner, nested := strings.CutPrefix(key, "outer "); nested {
			done, err := g(0).SetIfAbsent(ctx, inner, 5, 0)
			if !done && err == nil {
				err = errors.New("not set")
			}
			return 1, err
		}
		return 0, cachemesh.ErrNotFound
	}
	onThree(t, load, cachemesh.GroupOptions[int]{MaxLoads: 1}, func(t *testing.T, _ *cachemeshtest.Cluster, groups func(int) *cachemesh.Group[int]) {
		g = groups
		start := time.Now()
		for _, key := range kit.Numbered("outer key", 12) {
			if v, err := g(0).Get(t.Context(), key); v != 1 || err != nil {
				t.Errorf("%d, %v", v, err)
			}
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// countingWriter has rows, and refuses to write beside itself.
type countingWriter struct {
	mu      sync.Mutex
	rows    map[string]int
	writing atomic.Int64
	writes  int
}

// TestConditionsWithAWriter: the Writer is called where the condition is met, and only there.
func TestConditionsWithAWriter(t *testing.T) {
	w := &countingWriter{rows: map[string]int{"row": 1}}
	load := func(_ context.Context, key string) (int, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if v := w.rows[key]; v != 0 {
			return v, nil
		}
		return 0, cachemesh.ErrNotFound
	}
	onThree(t, load, cachemesh.GroupOptions[int]{Writer: w}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[int]) {
		ctx := t.Context()
		if done, err := g(0).SetIfAbsent(ctx, "row", 5, 0); done || err != nil || w.writes != 0 {
			t.Errorf("%t, %v, %d writes", done, err, w.writes)
		}
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				if _, err := cachemesh.Increment(ctx, g(i%3), "row", 1, 0); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if w.rows["row"] != 31 || w.writes != 30 {
			t.Errorf("the row is %d after %d writes", w.rows["row"], w.writes)
		}
		if ok, err := g(1).Touch(ctx, "row", time.Hour); !ok || err != nil || w.writes != 30 {
			t.Errorf("touched: %t, %v, %d writes", ok, err, w.writes)
		}
		if v, err := g(2).GetDelete(ctx, "row"); v != 31 || err != nil || w.rows["row"] != 0 {
			t.Errorf("%d, %v, and the row is %d", v, err, w.rows["row"])
		}
		if _, err := g(0).GetDelete(ctx, "row"); !errors.Is(err, cachemesh.ErrNotFound) || w.writes != 31 {
			t.Errorf("%v, %d writes", err, w.writes)
		}
	})
}

func (w *countingWriter) Store(_ context.Context, key string, v int) error { return w.put(key, v) }

func (w *countingWriter) Delete(_ context.Context, key string) error { return w.put(key, 0) }

func (w *countingWriter) put(key string, v int) error {
	if w.writing.Add(1) > 1 {
		return errors.New("beside another write")
	}
	defer w.writing.Add(-1)
	time.Sleep(time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows[key], w.writes = v, w.writes+1
	return nil
}
