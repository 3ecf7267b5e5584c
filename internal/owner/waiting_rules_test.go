//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// holdingTurn takes the only turn of the loader, until the gate lets it go.
func (r *rig) holdingTurn() chan result[string] {
	r.Origin.Turn = origin.NewTurns(1, 10)
	r.gate = make(chan struct{})
	return r.getWith(context.Background(), "holds the turn")
}

// TestWaitsForItsTurn: whose load has not begun shortly before the end of their time is told
// so, who left before is not, and whose load runs waits on.
func TestWaitsForItsTurn(t *testing.T) {
	kinds := map[string]func(r *rig, ctx context.Context, key string) error{
		"a Get": func(r *rig, ctx context.Context, key string) error {
			_, _, err := r.Part.Load(ctx, r.hash(key), key)
			return err
		},
		"a Reload": func(r *rig, ctx context.Context, key string) error { return r.ReloadHere(ctx, []string{key})[0] },
	}
	for what, ask := range kinds {
		ruled(t, nil, func(t *testing.T, r *rig) {
			holds := r.holdingTurn()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			start := time.Now()
			if err := ask(r, ctx, "k"); !errors.Is(err, errs.ErrOverloaded) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 980*time.Millisecond {
				t.Errorf("%s: %v after %v", what, err, time.Since(start))
			}
			if synctest.Wait(); r.of("k").lanes["k"] != nil {
				t.Errorf("%s: its load stays", what)
			}
			leaving, leave := context.WithTimeout(context.Background(), time.Second)
			asked := began(func() (struct{}, error) { return struct{}{}, ask(r, leaving, "k") })
			leave()
			if out := <-asked; out.err != context.Canceled {
				t.Errorf("%s: who left got %v", what, out.err)
			}
			runs, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			start = time.Now()
			if err := ask(r, runs, "holds the turn"); what == "a Get" && (err != context.DeadlineExceeded || time.Since(start) != time.Second) {
				t.Errorf("%s of what is being loaded: %v after %v", what, err, time.Since(start))
			}
			close(r.gate)
			<-holds
		})
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.gate = make(chan struct{})
			asked := began(func() (struct{}, error) { return struct{}{}, ask(r, context.Background(), "k") })
			r.Life.Close()
			if out := <-asked; out.err != errs.ErrClosed {
				t.Errorf("%s when the node closes: %v", what, out.err)
			}
			close(r.gate)
		})
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.gate = make(chan struct{})
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			start := time.Now()
			if err := ask(r, ctx, "k"); err != context.DeadlineExceeded || time.Since(start) != time.Second {
				t.Errorf("%s with little time: %v after %v", what, err, time.Since(start))
			}
		})
	}
}

// TestWhatIsThereCounts though the caller's time has ended.
func TestWhatIsThereCounts(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		for range 50 {
			f := newFlight(ended, r.of("k"), r.hash("k"), "k")
			f.publishLocked(landed{entry: entry("k", "v"), hit: true})
			f.publishLocked(landed{err: errOrigin})
			if e, hit, err := r.await(ended, nil, f, 0); e == nil || !hit || err != nil {
				t.Fatalf("%v, %t, %v", e, hit, err)
			}
		}
	})
}

// oldOne stores a value whose TTL has ended and that is still kept.
func (r *rig) oldOne(t *testing.T, key string) *store.Entry {
	t.Helper()
	r.remembering(0, time.Hour)
	r.StaleWait = 100 * time.Millisecond
	e := r.put(key, "old", time.Second)
	time.Sleep(time.Second)
	r.row.Store(new("new"))
	r.gate = make(chan struct{})
	return e
}

// TestContentWithOld: who has waited for long enough gets the old value, and the load goes on.
func TestContentWithOld(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		old := r.oldOne(t, "k")
		start := time.Now()
		e, hit, err := r.Part.Load(context.Background(), r.hash("k"), "k")
		stale, _ := errors.AsType[*errs.StaleError](err)
		if e != old || hit || stale == nil || stale.Age != 100*time.Millisecond || !errors.Is(err, errSlow) || time.Since(start) != 100*time.Millisecond || r.Counts.StaleServed.Load() != 1 {
			t.Errorf("%v, %t, %v after %v", e, hit, err, time.Since(start))
		}
		time.Sleep(50 * time.Millisecond)
		start = time.Now()
		if e, _, _ := r.Part.Load(context.Background(), r.hash("k"), "k"); e != old || time.Since(start) != 0 {
			t.Errorf("whose load has run for long waits %v more", time.Since(start))
		}
		r.gate <- struct{}{}
		if synctest.Wait(); r.held("k") != "new" || r.loads.Load() != 1 {
			t.Errorf("memory has %q after %d loads", r.held("k"), r.loads.Load())
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		old := r.oldOne(t, "k")
		ctx, cancel := context.WithTimeout(context.Background(), 80*time.Millisecond)
		defer cancel()
		start := time.Now()
		if e, _, _ := r.Part.Load(ctx, r.hash("k"), "k"); e != old || time.Since(start) != 70*time.Millisecond {
			t.Errorf("who has little time waits %v", time.Since(start))
		}
		ctx, cancel = context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		start = time.Now()
		if e, _, _ := r.Part.Load(ctx, r.hash("k"), "k"); e != old || time.Since(start) != 30*time.Millisecond {
			t.Errorf("who has time waits %v", time.Since(start))
		}
		close(r.gate)
	})
	for what, test := range map[string]struct {
		happens func(r *rig)
		content bool
		fresh   bool
	}{
		"closed":           {func(r *rig) { r.of("k").closed = true }, false, false},
		"without a right":  {func(r *rig) { r.writes.Confirm(0) }, false, false},
		"nothing any more": {func(r *rig) { r.Store.Delete(r.hash("k"), "k") }, false, false},
		"it was Set":       {func(r *rig) { r.Store.Set(r.hash("k"), entry("k", "set"), 0) }, true, true},
		"with care": {func(r *rig) {
			r.Store.Set(r.hash("k"), &store.Entry{Key: "k", Data: []byte("set"), Care: &store.Care{Fresh: 1 << 50}}, 0)
		}, true, true},
		"of this moment": {func(r *rig) {
			r.Store.Set(r.hash("k"), &store.Entry{Key: "k", Data: []byte("set"), Care: &store.Care{Fresh: r.Clock.Now() + int64(100*time.Millisecond)}}, 0)
		}, true, false},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.oldOne(t, "k")
			get := r.getWith(context.Background(), "k")
			test.happens(r)
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			select {
			case out := <-get:
				if !test.content || (out.err == nil) != test.fresh || out.v != "set" {
					t.Errorf("%s: %q, %v", what, out.v, out.err)
				}
			default:
				if test.content {
					t.Errorf("%s: waits on", what)
				}
				time.Sleep(time.Second)
				close(r.gate)
				r.gate = nil
				<-get
			}
			if r.gate != nil {
				close(r.gate)
			}
			r.of("k").closed = false
		})
	}
}

// TestNoSoftTimer where there is nothing old, or the group serves nothing old.
func TestNoSoftTimer(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		f := newFlight(context.Background(), r.of("k"), r.hash("k"), "k")
		r.put("k", "v", 0)
		if r.softTimer(context.Background(), f) != nil {
			t.Error("a group that serves nothing old")
		}
		r.StaleFor = time.Hour
		if r.softTimer(context.Background(), f) != nil {
			t.Error("a value without care")
		}
		if r.softTimer(context.Background(), newFlight(context.Background(), r.of("x"), r.hash("x"), "x")) != nil {
			t.Error("no value")
		}
		e := &store.Entry{Key: "k", Care: new(store.Care)}
		must(t, r.Store.Set(r.hash("k"), e, 0))
		r.StaleWait = time.Second
		if timer := r.softTimer(context.Background(), f); timer == nil {
			t.Error("no timer")
		} else if time.Sleep(time.Second - 1); isClosed(timer.C) {
			t.Error("fires early")
		} else if time.Sleep(time.Nanosecond); !isClosed(timer.C) {
			t.Error("does not fire")
		}
	})
}
