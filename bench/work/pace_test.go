package work

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// TestAPaceIsKept makes sure that every tick has its operation, in turn, and that the
// first is where it should be.
func TestAPaceIsKept(t *testing.T) {
	items := Items(128, 10)
	const first, rate, duration = 7, 2000, 100 * time.Millisecond
	counts := make([]atomic.Uint64, len(items))
	errEvery := errors.New("one in ten")
	r, err := RunPaced(t.Context(), Pace{Rate: rate, Callers: 4, Duration: duration, Items: items, First: first},
		func(_ context.Context, c *Caller, it *Item) error {
			counts[it.ID].Add(1)
			switch it.ID {
			case 1:
				c.Wrote()
			case 2:
				return errEvery
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	const ops = rate / 10
	if r.Ops+r.Missed != ops {
		t.Errorf("%d operations and %d that were missed, want %d", r.Ops, r.Missed, ops)
	}
	if r.Missed > 0 {
		t.Skipf("the machine is too busy: %d operations were missed", r.Missed)
	}
	for id := range counts {
		if n := counts[id].Load(); n != ops/10 {
			t.Errorf("item %d was read %d times, want %d", id, n, ops/10)
		}
	}
	if r.Gets != ops*9/10 || r.Errors != ops/10 || r.FirstError != errEvery.Error() {
		t.Errorf("%d Gets, %d errors: %s", r.Gets, r.Errors, r.FirstError)
	}
	if r.Elapsed < duration-2*time.Second/rate {
		t.Errorf("it took %v, want about %v: the pace was not kept", r.Elapsed, duration)
	}
}

// TestWhatWaitsForASlowOneIsTimedFromWhenItWasDue has one caller, whose first operation takes
// half of the time: those due meanwhile began late, and their wait counts.
func TestWhatWaitsForASlowOneIsTimedFromWhenItWasDue(t *testing.T) {
	const rate, slow, duration = 1000, 50 * time.Millisecond, 100 * time.Millisecond
	began := false
	r, err := RunPaced(t.Context(), Pace{Rate: rate, Callers: 1, Duration: duration, Items: Items(128, 1)},
		func(context.Context, *Caller, *Item) error {
			if !began {
				began = true
				<-time.After(slow)
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	// 50 ticks were due in the first 50 ms. A loop that times from the beginning of each would
	// have one slow operation, 1 % of all, and a p60 of next to nothing.
	if got := r.Latency.Quantile(0.6); got < 5*time.Millisecond {
		t.Errorf("p60 = %v, want about 10 ms: what waited was not charged", got)
	}
	if r.Late+r.Missed < 40 {
		t.Errorf("%d operations began late, want about 49", r.Late)
	}
}

// TestWhatNobodyBeginsIsMissed has one caller who never comes back in time.
func TestWhatNobodyBeginsIsMissed(t *testing.T) {
	const rate, duration = 100, 50 * time.Millisecond
	r, err := RunPaced(t.Context(), Pace{Rate: rate, Callers: 1, Duration: duration, Items: Items(128, 1)},
		func(context.Context, *Caller, *Item) error {
			<-time.After(duration + 2*grace)
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	if r.Ops != 1 || r.Missed != 4 {
		t.Errorf("%d done and %d missed, want 1 and 4", r.Ops, r.Missed)
	}
	if got := r.Latency.Quantile(0); got < duration {
		t.Errorf("the least latency is %v: what was missed does not count", got)
	}
}

// TestOthersGoOnWhileOneIsSlow has two callers, one of whom is kept by the first operation.
func TestOthersGoOnWhileOneIsSlow(t *testing.T) {
	const rate, duration = 1000, 60 * time.Millisecond
	var begun, done atomic.Int64
	released := make(chan struct{})
	r, err := RunPaced(t.Context(), Pace{Rate: rate, Callers: 2, Duration: duration, Items: Items(128, 1)},
		func(context.Context, *Caller, *Item) error {
			if begun.Add(1) == 1 {
				select {
				case <-released:
				case <-time.After(5 * time.Second):
					t.Error("the others were not done meanwhile")
				}
			} else if done.Add(1) == 10 {
				close(released)
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	if r.Ops+r.Missed != 60 {
		t.Errorf("%d operations and %d that were missed, want 60", r.Ops, r.Missed)
	}
}
