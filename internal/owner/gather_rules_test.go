//go:build !race

package owner

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// TestSingleLoadsGather for the window, and are called with one call; so many start at once.
func TestSingleLoadsGather(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		calls := r.manyOf(rowOf)
		r.BatchWindow = 10 * time.Millisecond
		start := time.Now()
		a, b := r.getWith(context.Background(), "a"), r.getWith(context.Background(), "b")
		if out := <-a; out.v != "row of a" || time.Since(start) != r.BatchWindow {
			t.Errorf("%q after %v", out.v, time.Since(start))
		}
		if out := <-b; out.v != "row of b" || len(*calls) != 1 || r.loads.Load() != 0 {
			t.Errorf("%q, %d calls", out.v, len(*calls))
		}
		ctx, cancel := context.WithCancel(context.Background())
		c, d := r.getWith(ctx, "c"), r.getWith(context.Background(), "d")
		cancel()
		<-c
		if out := <-d; out.v != "row of d" || len(*calls) != 2 || len((*calls)[1]) != 1 {
			t.Errorf("%q, calls %v", out.v, *calls)
		}
		ctx, cancel = context.WithCancel(context.Background())
		e := r.getWith(ctx, "e")
		cancel()
		<-e
		synctest.Wait()
		if r.gather.open != nil {
			t.Error("a batch gathers that nobody waits for")
		}
		time.Sleep(time.Second)
		if len(*calls) != 2 {
			t.Errorf("calls %v", *calls)
		}
		start = time.Now()
		gets := make([]chan result[string], MaxLoadMany)
		for i := range gets {
			out := make(chan result[string], 1)
			gets[i] = out
			go func() { v, err := r.get(fmt.Sprint("key", i)); out <- result[string]{v, err} }()
		}
		for _, get := range gets {
			<-get
		}
		if time.Since(start) != 0 || len(*calls) != 3 || len((*calls)[2]) != MaxLoadMany {
			t.Errorf("%d keys after %v with %d calls", MaxLoadMany, time.Since(start), len(*calls)-2)
		}
		r.BatchWindow = 0
		if v, _ := r.get("alone"); v != "old" || len(*calls) != 3 {
			t.Errorf("without a window: %q, %d calls", v, len(*calls))
		}
		r.BatchWindow, r.Origin.LoadMany = time.Second, nil
		if v, _ := r.get("single"); v != "old" {
			t.Errorf("without LoadMany: %q", v)
		}
	})
}

// TestReloads: keys are loaded again whatever they have, and those that wait share one load.
func TestReloads(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.put("a", "v", 0)
		r.put("b", "v", 0)
		if errs := r.ReloadHere(context.Background(), []string{"a", "b"}); errs[0] != nil || errs[1] != nil || r.held("a") != "old" || r.held("b") != "old" || r.loads.Load() != 2 {
			t.Errorf("%v, memory has %q and %q", errs, r.held("a"), r.held("b"))
		}
		calls := r.manyOf(rowOf)
		if errs := r.ReloadHere(context.Background(), []string{"a", "b"}); errs[0] != nil || r.held("a") != "row of a" || len(*calls) != 1 || r.loads.Load() != 2 {
			t.Errorf("together: %v, memory has %q, %d calls", errs, r.held("a"), len(*calls))
		}
		if errs := r.ReloadHere(context.Background(), []string{"a"}); errs[0] != nil || r.held("a") != "old" || len(*calls) != 1 {
			t.Errorf("one: %v, memory has %q", errs, r.held("a"))
		}
		r.Origin.Load = func(context.Context, string) (*store.Entry, error) { return nil, errs.ErrNotFound }
		if errs := r.ReloadHere(context.Background(), []string{"a"}); errs[0] != nil || r.held("a") != "" {
			t.Errorf("no row: %v, memory has %q", errs, r.held("a"))
		}
		r.failing()
		r.remembering(0, time.Hour)
		r.put("old", "v", time.Hour)
		if errs := r.ReloadHere(context.Background(), []string{"old"}); !errors.Is(errs[0], errOrigin) || r.held("old") != "v" {
			t.Errorf("it fails: %v, memory has %q", errs, r.held("old"))
		}
		r.believe("another")
		if err := r.ReloadHere(context.Background(), []string{"a"})[0]; !errors.Is(err, errs.ErrNotOwner) {
			t.Errorf("another's: %v", err)
		}
		r.of("a").closed = true
		if err := r.ReloadHere(context.Background(), []string{"a"})[0]; err != errs.ErrGroupClosed {
			t.Errorf("closed: %v", err)
		}
		r.of("a").closed = false
		r.Life.Close()
		if err := r.ReloadHere(context.Background(), []string{"a"})[0]; err != errs.ErrClosed {
			t.Errorf("the node closes: %v", err)
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // a load that began before may have read an older row
		r.gate = make(chan struct{})
		get := r.getWith(context.Background(), "k")
		time.Sleep(time.Nanosecond)
		reload := began(func() ([]error, error) { return r.ReloadHere(context.Background(), []string{"k"}), nil })
		same := began(func() ([]error, error) { return r.ReloadHere(context.Background(), []string{"k"}), nil })
		r.row.Store(new("new"))
		r.gate <- struct{}{}
		<-get
		synctest.Wait()
		if r.loads.Load() != 2 {
			t.Errorf("%d loads", r.loads.Load())
		}
		r.gate <- struct{}{}
		if out := <-reload; out.v[0] != nil || r.held("k") != "new" {
			t.Errorf("%v, memory has %q", out.v, r.held("k"))
		}
		if <-same; r.loads.Load() != 2 {
			t.Errorf("%d loads for two that came together", r.loads.Load())
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // who waits for a write leaves, or the node closes
		r.of("k").reserved.reserve("k")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		if err := r.ReloadHere(ctx, []string{"k"})[0]; err != context.DeadlineExceeded || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		waits := began(func() ([]error, error) { return r.ReloadHere(context.Background(), []string{"k"}), nil })
		s := r.of("k")
		s.mu.Lock()
		r.releaseLocked(s, r.hash("k"), "k")
		s.mu.Unlock()
		if out := <-waits; out.v[0] != nil || r.held("k") != "old" {
			t.Errorf("%v, memory has %q", out.v, r.held("k"))
		}
		s.reserved.reserve("k")
		waits = began(func() ([]error, error) { return r.ReloadHere(context.Background(), []string{"k"}), nil })
		r.Life.Close()
		if out := <-waits; out.v[0] != errs.ErrClosed {
			t.Errorf("%v", out.v)
		}
		delete(s.reserved, "k")
	})
	ruled(t, accepts, func(t *testing.T, r *rig) { // voided, it loads again
		r.gate = make(chan struct{})
		reload := began(func() ([]error, error) { return r.ReloadHere(context.Background(), []string{"k"}), nil })
		must(t, r.delete("k"))
		synctest.Wait()
		must(t, r.delete("k"))
		close(r.gate)
		if out := <-reload; out.v[0] != nil || r.held("k") != "old" || r.loads.Load() != 3 {
			t.Errorf("%v, memory has %q after %d loads", out.v, r.held("k"), r.loads.Load())
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // copies of what is replaced are recalled first
		r.get("k")
		r.lease(t, "k")
		r.row.Store(new("new"))
		r.acknowledges.Store(false)
		reload := began(func() ([]error, error) { return r.ReloadHere(context.Background(), []string{"k"}), nil })
		if r.told.Load() == 0 || r.held("k") != "old" {
			t.Errorf("told %d times, memory has %q", r.told.Load(), r.held("k"))
		}
		if <-reload; r.held("k") != "new" {
			t.Errorf("memory has %q", r.held("k"))
		}
	})
}
