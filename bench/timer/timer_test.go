package timer

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestAnIdleProcessWakesInTime takes the best tenth, for the machine has other work. Package time
// would wake it half a millisecond late each time.
func TestAnIdleProcessWakesInTime(t *testing.T) {
	timer, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer timer.Close()
	const wait = 500 * time.Microsecond
	var late []time.Duration
	for range 101 {
		at := time.Now().Add(wait)
		timer.Until(at)
		late = append(late, time.Since(at))
	}
	slices.Sort(late)
	if late[0] < 0 {
		t.Errorf("woke %v before its time", -late[0])
	}
	if got := late[len(late)/10]; runtime.GOOS == "linux" && got > 400*time.Microsecond {
		t.Errorf("woke %v late in all but the best tenth", got)
	}
}

func TestWhatIsPastIsNotWaitedFor(t *testing.T) {
	timer, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer timer.Close()
	timer.Until(time.Now().Add(-time.Second))
}

func TestMoreSleepThanTimersAreKept(t *testing.T) {
	const sleepers, wait = 3 * 64, 2 * time.Millisecond
	var wg sync.WaitGroup
	for range sleepers {
		wg.Go(func() {
			began := time.Now()
			if Sleep(wait); time.Since(began) < wait {
				t.Error("woke before its time")
			}
		})
	}
	wg.Wait()
	if n := len(idle); n == 0 || n > cap(idle) {
		t.Errorf("%d timers are kept, want 1 to %d", n, cap(idle))
	}
}
