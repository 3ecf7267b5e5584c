//go:build !race

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

// TestOneLoadForAll who come while it runs; the last who leaves ends it.
func TestOneLoadForAll(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		if r.Waiting(r.hash("k"), "k") != 0 {
			t.Error("somebody waits")
		}
		first, second := r.getWith(ctx, "k"), r.getWith(context.Background(), "k")
		if r.Waiting(r.hash("k"), "k") != 2 || r.Counts.Deduplicated.Load() != 1 {
			t.Errorf("%d wait, %d joined", r.Waiting(r.hash("k"), "k"), r.Counts.Deduplicated.Load())
		}
		cancel()
		if out := <-first; out.err != context.Canceled || r.Waiting(r.hash("k"), "k") != 1 {
			t.Errorf("who left got %v; %d wait", out.err, r.Waiting(r.hash("k"), "k"))
		}
		r.gate <- struct{}{}
		if out := <-second; out.v != "old" || r.loads.Load() != 1 || r.held("k") != "old" {
			t.Errorf("%q, %v after %d loads", out.v, out.err, r.loads.Load())
		}
		ctx, cancel = context.WithCancel(context.Background())
		get := r.getWith(ctx, "other")
		cancel()
		<-get
		synctest.Wait()
		if s := r.of("other"); s.running != 0 || r.held("other") != "" {
			t.Error("a load goes on that nobody waits for")
		}
	})
}

// TestFinishLoads: a load that has begun is finished though nobody waits, if the group wants
// that, unless it was voided or waits for its turn.
func TestFinishLoads(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.FinishLoads = true
		r.gate = make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		get := r.getWith(ctx, "k")
		cancel()
		<-get
		r.gate <- struct{}{}
		synctest.Wait()
		if r.held("k") != "old" {
			t.Error("not finished")
		}
		ctx, cancel = context.WithCancel(context.Background())
		get = r.getWith(ctx, "void")
		must(t, r.delete("void"))
		cancel()
		<-get
		synctest.Wait()
		if r.of("void").running != 0 {
			t.Error("a load goes on whose value is of no use")
		}
		r.Origin.Turn = origin.NewTurns(1, 10)
		holds := r.getWith(context.Background(), "holds")
		ctx, cancel = context.WithCancel(context.Background())
		get = r.getWith(ctx, "queued")
		cancel()
		<-get
		synctest.Wait()
		if len(r.of("queued").lanes) != 0 && r.of("queued").lanes["queued"] != nil {
			t.Error("a load waits for its turn that nobody wants")
		}
		close(r.gate)
		<-holds
	})
}

// TestWaitsBehindTwoLoads: a third load of a key waits until one of two that were voided has
// returned, and so does who leaves while it waits.
func TestWaitsBehindTwoLoads(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		rows := r.stubborn()
		one := r.getWith(context.Background(), "k")
		must(t, r.delete("k"))
		two := r.getWith(context.Background(), "k")
		must(t, r.delete("k"))
		ctx, cancel := context.WithCancel(context.Background())
		leaves := r.getWith(ctx, "k")
		if r.loads.Load() != 2 || r.Waiting(r.hash("k"), "k") != 1 {
			t.Errorf("%d loads, %d wait", r.loads.Load(), r.Waiting(r.hash("k"), "k"))
		}
		cancel()
		<-leaves
		if r.of("k").lanes["k"].next != nil {
			t.Error("a load waits that nobody wants")
		}
		three := r.getWith(context.Background(), "k")
		rows <- "first"
		synctest.Wait()
		if r.loads.Load() != 3 {
			t.Errorf("%d loads when one has returned", r.loads.Load())
		}
		rows <- "second"
		rows <- "third"
		a, b, c := <-one, <-two, <-three
		if a.err != nil || b.err != nil || c.err != nil || r.held("k") != c.v {
			t.Errorf("%v, %v, %v; memory has %q", a, b, c, r.held("k"))
		}
	})
}

// TestStuckLoad: a loader that does not heed the end of its time holds nobody up any more,
// and is counted until it returns.
func TestStuckLoad(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		rows := r.stubborn()
		start := time.Now()
		out := <-r.getWith(context.Background(), "k")
		if !errors.Is(out.err, context.DeadlineExceeded) || time.Since(start) > r.LoadTimeout+time.Second || r.Counts.StuckLoads.Load() != 1 {
			t.Errorf("%v after %v, %d stuck", out.err, time.Since(start), r.Counts.StuckLoads.Load())
		}
		if l := r.of("k").lanes["k"]; l.running != 0 || l.stuck != 1 {
			t.Errorf("lane %+v", l)
		}
		next := r.getWith(context.Background(), "k")
		rows <- "late or not"
		rows <- "the other"
		if out := <-next; out.err != nil {
			t.Errorf("%v", out.err)
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		rows := r.stubborn()
		var waits []chan result[string]
		for range 2 { // nobody waits for these any more, and they run on
			ctx, cancel := context.WithCancel(context.Background())
			get := r.getWith(ctx, "k")
			cancel()
			<-get
			synctest.Wait()
		}
		waits = append(waits, r.getWith(context.Background(), "k"))
		if r.loads.Load() != 2 || r.Counts.StuckLoads.Load() != 0 {
			t.Errorf("%d loads, %d stuck before their time is over", r.loads.Load(), r.Counts.StuckLoads.Load())
		}
		time.Sleep(r.LoadTimeout)
		synctest.Wait()
		if r.loads.Load() != 3 || r.Counts.StuckLoads.Load() != 2 {
			t.Errorf("%d loads, %d stuck when their time is over", r.loads.Load(), r.Counts.StuckLoads.Load())
		}
		for range 3 {
			rows <- "row"
		}
		<-waits[0]
	})
}

// TestLoadsAreCalledOff when the group ends them.
func TestLoadsAreCalledOff(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		loading, callOff := context.WithCancel(context.Background())
		r.Loading, r.gate = loading, make(chan struct{})
		get := r.getWith(context.Background(), "k")
		r.SetCut()
		callOff()
		if out := <-get; !errors.Is(out.err, errs.ErrGroupClosed) {
			t.Errorf("%v", out.err)
		}
	})
}

// TestFailuresAreRemembered, until a load brings a value or no row.
func TestFailuresAreRemembered(t *testing.T) {
	for _, found := range []bool{true, false} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.remembering(time.Second, 0)
			load := r.Origin.Load
			r.failing()
			for range 2 {
				if _, err := r.get("k"); !errors.Is(err, errOrigin) || r.loads.Load() != 1 {
					t.Errorf("%v after %d loads", err, r.loads.Load())
				}
			}
			if r.Counts.RefreshErrors.Load() != 0 {
				t.Error("it was no refresh")
			}
			time.Sleep(time.Second)
			if r.Origin.Load = load; !found {
				r.Origin.Load = func(context.Context, string) (*store.Entry, error) { return nil, errs.ErrNotFound }
			}
			if _, err := r.get("k"); errors.Is(err, errs.ErrNotFound) == found || r.setbacks.held() != 0 {
				t.Errorf("%v; %d bytes remembered", err, r.setbacks.held())
			}
		})
	}
}

// TestVoidedTwiceInsists: with a Writer a Get that was sent back twice keeps writes waiting.
func TestVoidedTwiceInsists(t *testing.T) {
	ruled(t, accepts, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		get := r.getWith(context.Background(), "k")
		for i := range maxVoids {
			if r.of("k").reserved.isTaken("k") {
				t.Errorf("insists after %d voided loads", i)
			}
			must(t, r.delete("k"))
			synctest.Wait()
		}
		set := began(func() (struct{}, error) { return struct{}{}, r.set("k", "new") })
		if !r.of("k").reserved.isTaken("k") || r.held("k") == "new" {
			t.Error("a write does not wait")
		}
		r.gate <- struct{}{}
		if out := <-get; out.v != "old" || out.err != nil {
			t.Errorf("%q, %v", out.v, out.err)
		}
		if out := <-set; out.err != nil || r.held("k") != "new" {
			t.Errorf("Set: %v, memory has %q", out.err, r.held("k"))
		}
	})
}

// TestWithoutALoader: a miss finds nothing, and waits while the key is being written.
func TestWithoutALoader(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Origin.Load = nil
		if _, err := r.get("k"); !errors.Is(err, errs.ErrNotFound) {
			t.Errorf("%v", err)
		}
		must(t, r.set("k", "v"))
		r.lease(t, "k")
		r.acknowledges.Store(false)
		r.Store.Delete(r.hash("k"), "k")
		set := began(func() (struct{}, error) { return struct{}{}, r.set("k", "new") })
		get := r.getWith(context.Background(), "k")
		if len(get) != 0 {
			t.Errorf("%v while the key is being written", <-get)
		}
		<-set
		if out := <-get; out.v != "new" || out.err != nil {
			t.Errorf("%q, %v", out.v, out.err)
		}
	})
}

// TestHitAfterAll is said of a value that was there.
func TestHitAfterAll(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.put("k", "v", 0)
		if e, hit, err := r.Part.Load(context.Background(), r.hash("k"), "k"); e == nil || !hit || err != nil {
			t.Errorf("%v, %t, %v", e, hit, err)
		}
		if _, hit, err := r.Part.Load(context.Background(), r.hash("other"), "other"); hit || err != nil {
			t.Errorf("loaded: hit %t, %v", hit, err)
		}
	})
}
