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
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestNotMetChangesNothing, though copies are out: no load is voided, and no key reserved.
// And nothing is said of a condition by a member that may not answer.
func TestNotMetChangesNothing(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.get("k")
		r.lease(t, "k")
		changes := r.of("k").changes.Load()
		c := on(wire.Condition{If: wire.IfAbsent})
		if err := r.changeKey("k", Change{E: entry("k", "new"), If: c}); err != nil || c.Got.Met {
			t.Errorf("%v, %+v", err, c.Got)
		}
		if err := r.changeKey("k", Change{If: on(wire.Condition{Add: true})}); !errors.Is(err, errs.ErrNotInteger) {
			t.Errorf("%v", err)
		}
		if r.of("k").changes.Load() != changes || r.told.Load() != 0 {
			t.Error("something changed")
		}
		r.writes.Confirm(0)
		if done, err := r.WriteNow(r.hash("x"), "x", Change{If: on(wire.Condition{If: wire.IfPresent})}); !done || !errors.Is(err, errs.ErrUnsettled) {
			t.Errorf("done %t, %v", done, err)
		}
	})
}

// TestWriterHoldsUpWritersAlone: what concerns the cache alone does not wait for it.
func TestWriterHoldsUpWritersAlone(t *testing.T) {
	ruled(t, accepts, func(t *testing.T, r *rig) {
		r.get("k")
		r.lease(t, "k")
		s := r.of("k")
		s.writings.begin("k")
		if must(t, r.changeKey("k", Change{CacheOnly: true})); r.held("k") != "" {
			t.Errorf("memory has %q", r.held("k"))
		}
		for range 20 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			waits := r.going(ctx, "k", Change{})
			cancel()
			if out := <-waits; out.err != context.Canceled {
				t.Errorf("%v", out.err)
			}
		}
		delete(s.writings.calls, "k")
	})
}

// TestJoinsBetweenTwoCohorts, where none runs.
func TestJoinsBetweenTwoCohorts(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Origin.Turn = origin.NewTurns(1, 10)
		<-r.unstoredGet(context.Background(), "k", true)
		nested := origin.WithHeld(context.Background(), &origin.HeldTurns{Group: "g"})
		if out := <-r.unstoredGet(nested, "k", false); out.err != nil || r.loads.Load() != 2 {
			t.Errorf("%v after %d loads", out.err, r.loads.Load())
		}
		time.Sleep(time.Second)
	})
}

// TestNotStuckBeforeItsTime: a load that nobody waits for any more is given up when its own
// time is over.
func TestNotStuckBeforeItsTime(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		rows := r.stubborn()
		ctx, cancel := context.WithCancel(context.Background())
		get := r.getWith(ctx, "k")
		cancel()
		<-get
		time.Sleep(time.Second)
		if l := r.of("k").lanes["k"]; r.Counts.StuckLoads.Load() != 0 || l.running != 1 {
			t.Errorf("%d stuck, lane %+v", r.Counts.StuckLoads.Load(), l)
		}
		time.Sleep(r.LoadTimeout)
		if synctest.Wait(); r.Counts.StuckLoads.Load() != 1 {
			t.Errorf("%d stuck when its time is over", r.Counts.StuckLoads.Load())
		}
		rows <- "row"
	})
}
