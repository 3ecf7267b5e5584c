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
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/origin"
)

// unstoredGet is a Get whose load stores nothing.
func (r *rig) unstoredGet(ctx context.Context, key string, standIn bool) chan result[string] {
	return began(func() (string, error) {
		e, err := r.LoadUnstored(ctx, r.hash(key), key, standIn)
		if e == nil {
			return "", err
		}
		return string(e.Data), err
	})
}

// TestUnstoredLoad: its value answers those who came before it began, and is not kept.
func TestUnstoredLoad(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		first := r.unstoredGet(context.Background(), "k", false)
		second, third := r.unstoredGet(context.Background(), "k", false), r.unstoredGet(context.Background(), "k", false)
		if r.loads.Load() != 1 || r.Counts.Deduplicated.Load() != 2 || len(r.Unstored()) != 2 {
			t.Errorf("%d loads, %d joined, %d under way", r.loads.Load(), r.Counts.Deduplicated.Load(), len(r.Unstored()))
		}
		running := r.Unstored()[0]
		r.row.Store(new("new"))
		r.gate <- struct{}{}
		if out := <-first; out.v != "old" || out.err != nil || !isClosed(running) {
			t.Errorf("%q, %v", out.v, out.err)
		}
		r.gate <- struct{}{}
		a, b := <-second, <-third
		if synctest.Wait(); a.v != "new" || b.v != "new" || r.loads.Load() != 2 || r.held("k") != "" || len(r.Unstored()) != 0 {
			t.Errorf("%q, %q after %d loads; memory has %q", a.v, b.v, r.loads.Load(), r.held("k"))
		}
		start := time.Now()
		go func() { r.gate <- struct{}{} }()
		if out := <-r.unstoredGet(context.Background(), "k", false); out.v != "new" || time.Since(start) != 0 {
			t.Errorf("%q after %v", out.v, time.Since(start))
		}
	})
}

// TestUnstoredLoadIsRefused without a loader, and where the part is closed.
func TestUnstoredLoadIsRefused(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		load := r.Origin.Load
		r.Origin.Load = nil
		if out := <-r.unstoredGet(context.Background(), "k", false); out.err != errs.ErrNotFound {
			t.Errorf("without a loader: %v", out.err)
		}
		r.Origin.Load = load
		r.CloseShards()
		r.of("k").closed = true
		r.SetCut()
		if out := <-r.unstoredGet(context.Background(), "k", false); out.err != errs.ErrGroupClosed || r.loads.Load() != 0 {
			t.Errorf("closed: %v", out.err)
		}
		r.cut.Store(false)
		r.Life.Close()
		if out := <-r.unstoredGet(context.Background(), "k", false); out.err != errs.ErrClosed {
			t.Errorf("the node closes: %v", out.err)
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		get := r.unstoredGet(context.Background(), "k", false)
		r.Life.Close()
		if out := <-get; out.err != errs.ErrClosed {
			t.Errorf("closed meanwhile: %v", out.err)
		}
		close(r.gate)
	})
}

// TestUnstoredLoadIsLeft: who leaves hears why; a load that nobody waits for ends, or never
// begins.
func TestUnstoredLoadIsLeft(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		first, second := r.unstoredGet(ctx, "k", false), r.unstoredGet(ctx, "k", false)
		cancel()
		a, b := <-first, <-second
		if synctest.Wait(); a.err != context.Canceled || b.err != context.Canceled || r.loads.Load() != 1 || len(r.of("k").cohorts) != 0 {
			t.Errorf("%v, %v after %d loads", a.err, b.err, r.loads.Load())
		}
		ctx, cancel = context.WithCancel(context.Background())
		leaves, stays := r.unstoredGet(context.Background(), "k", false), r.unstoredGet(context.Background(), "k", false)
		third := r.unstoredGet(ctx, "k", false)
		cancel()
		<-third
		close(r.gate)
		c, d := <-leaves, <-stays
		if c.err != nil || d.err != nil {
			t.Errorf("%v, %v when another has left", c.err, d.err)
		}
	})
}

// TestUnstoredLoadHasItsTime: a loader that does not heed the end of its time is counted, and
// holds up the next no longer; with too many none begins.
func TestUnstoredLoadHasItsTime(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		rows := r.stubborn()
		start := time.Now()
		first := r.unstoredGet(context.Background(), "k", false)
		second := r.unstoredGet(context.Background(), "k", false)
		if out := <-first; !errors.Is(out.err, context.DeadlineExceeded) || time.Since(start) > r.LoadTimeout+time.Second {
			t.Errorf("%v after %v", out.err, time.Since(start))
		}
		synctest.Wait()
		if l := r.of("k").lanes["k"]; r.loads.Load() != 2 || r.Counts.StuckLoads.Load() != 1 || l.stuck != 1 || l.running != 1 {
			t.Errorf("%d loads, %d stuck, lane %+v", r.loads.Load(), r.Counts.StuckLoads.Load(), l)
		}
		rows <- "row"
		rows <- "row"
		if out := <-second; out.err != nil {
			t.Errorf("%v", out.err)
		}
		synctest.Wait() // the one that was stuck has been counted out
		r.of("k").lanes.of("k").stuck = maxLoading
		if out := <-r.unstoredGet(context.Background(), "k", false); !errors.Is(out.err, errs.ErrOverloaded) || !errs.IsOutcome(out.err) || r.loads.Load() != 2 {
			t.Errorf("too many are stuck: %v", out.err)
		}
		delete(r.of("k").lanes, "k")
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // the next begins when the loader has returned, not before
		rows := r.stubborn()
		ctx, cancel := context.WithCancel(context.Background())
		first := r.unstoredGet(ctx, "k", false)
		cancel()
		<-first
		second := r.unstoredGet(context.Background(), "k", false)
		if r.loads.Load() != 1 {
			t.Errorf("%d loads run at once", r.loads.Load())
		}
		rows <- "one"
		synctest.Wait()
		rows <- "two"
		if out := <-second; out.v != "two" {
			t.Errorf("%q, %v", out.v, out.err)
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		rows := r.stubborn()
		ctx, cancel := context.WithCancel(context.Background())
		first := r.unstoredGet(ctx, "k", false)
		cancel()
		<-first
		time.Sleep(time.Second)
		r.Life.Close()
		synctest.Wait()
		if len(r.of("k").cohorts) != 0 {
			t.Error("the node closes, and waits for a loader")
		}
		rows <- "row"
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		loading, callOff := context.WithCancel(context.Background())
		r.Loading, r.gate = loading, make(chan struct{})
		get, next := r.unstoredGet(context.Background(), "k", false), r.unstoredGet(context.Background(), "k", false)
		r.SetCut()
		callOff()
		if out := <-get; out.err != errs.ErrGroupClosed {
			t.Errorf("loads are called off: %v", out.err)
		}
		if out := <-next; out.err != errs.ErrGroupClosed || r.loads.Load() != 1 {
			t.Errorf("loads are called off: %v after %d", out.err, r.loads.Load())
		}
	})
}

// TestStandInsAreSpaced: loads for an owner that cannot be reached follow each other slowly,
// of so many keys.
func TestStandInsAreSpaced(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		start := time.Now()
		r.gate = make(chan struct{}, 10)
		first := r.unstoredGet(context.Background(), "k", true)
		second := r.unstoredGet(context.Background(), "k", false)
		time.Sleep(30 * time.Millisecond)
		r.gate <- struct{}{}
		r.gate <- struct{}{}
		r.gate <- struct{}{}
		<-first
		synctest.Wait()
		if s := r.of("k"); s.spaced != 1 || s.cohorts["k"].running != nil {
			t.Errorf("%d spaced", s.spaced)
		}
		third := r.unstoredGet(context.Background(), "k", false)
		if <-second; time.Since(start) != standInSpacing {
			t.Errorf("the second after %v", time.Since(start))
		}
		if <-third; r.loads.Load() != 2 {
			t.Errorf("%d loads", r.loads.Load())
		}
		time.Sleep(time.Second)
		start = time.Now()
		r.of("k").spaced = maxSpaced
		one, two := r.unstoredGet(context.Background(), "k", true), r.unstoredGet(context.Background(), "k", true)
		r.gate <- struct{}{}
		<-one
		<-two
		if time.Since(start) != 0 {
			t.Errorf("more than so many are spaced: %v", time.Since(start))
		}
		r.of("k").spaced = 0
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Faults = &faultinject.Faults{KeepStandIn: true}
		<-r.unstoredGet(context.Background(), "k", true)
		r.row.Store(new("new"))
		time.Sleep(400 * time.Millisecond)
		if out := <-r.unstoredGet(context.Background(), "k", true); out.v != "old" {
			t.Errorf("%q is served: without the safeguard it is what was kept", out.v)
		}
		time.Sleep(200 * time.Millisecond)
		if out := <-r.unstoredGet(context.Background(), "k", true); out.v != "new" {
			t.Errorf("%q is served", out.v)
		}
		time.Sleep(time.Second)
	})
}

// TestUnstoredLoadsTakeTurns: those that somebody waits for are hurried, and what a loader
// that holds a turn waits for needs none.
func TestUnstoredLoadsTakeTurns(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		holds := r.holdingTurn()
		nested := origin.WithHeld(context.Background(), &origin.HeldTurns{Group: "g"})
		waits := r.unstoredGet(context.Background(), "k", false)
		if r.loads.Load() != 1 {
			t.Errorf("%d loads with one turn", r.loads.Load())
		}
		behind := r.unstoredGet(nested, "k", false)
		if r.loads.Load() != 2 {
			t.Error("the loader that has the turn waits for one that waits for it")
		}
		close(r.gate)
		a, b, c := <-holds, <-waits, <-behind
		if a.err != nil || b.err != nil || c.err != nil {
			t.Errorf("%v, %v, %v", a.err, b.err, c.err)
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		holds := r.holdingTurn()
		nested := origin.WithHeld(context.Background(), &origin.HeldTurns{Group: "g"})
		first := r.unstoredGet(nested, "k", false)
		if r.loads.Load() != 2 {
			t.Error("the first waits for a turn that its caller has")
		}
		get := r.getWith(nested, "stored")
		if r.loads.Load() != 3 {
			t.Error("a load that is stored does")
		}
		forced := began(func() ([]error, error) { return r.ReloadHere(nested, []string{"forced"}), nil })
		if r.loads.Load() != 4 {
			t.Error("a load that is forced does")
		}
		close(r.gate)
		<-holds
		<-first
		<-get
		<-forced
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // a load is joined by one whose loader has the turn
		holds := r.holdingTurn()
		nested := origin.WithHeld(context.Background(), &origin.HeldTurns{Group: "g"})
		first := r.getWith(context.Background(), "k")
		joins := r.getWith(nested, "k")
		reload := began(func() ([]error, error) { return r.ReloadHere(context.Background(), []string{"r"}), nil })
		again := began(func() ([]error, error) { return r.ReloadHere(nested, []string{"r"}), nil })
		if r.loads.Load() != 3 {
			t.Errorf("%d loads", r.loads.Load())
		}
		close(r.gate)
		<-holds
		<-first
		<-joins
		<-reload
		<-again
	})
}
