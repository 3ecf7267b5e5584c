package origin_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// The impatient are 200 callers on all members who ask for a few keys, one after the
// other, with 100 ms for each Get.
type impatient struct {
	gets, without atomic.Int64 // Gets, and those that brought no value
	first         atomic.Pointer[error]
}

// ask lets them ask for as long as it is told.
func (c *impatient) ask(ctx context.Context, groups []*cachemesh.Group[string], keys []string, lasts time.Duration) {
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			time.Sleep(time.Duration(i) * time.Millisecond)
			for n, end := i, time.Now().Add(lasts); time.Now().Before(end); n++ {
				short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
				v, err := groups[i%len(groups)].Get(short, keys[n%len(keys)])
				cancel()
				c.gets.Add(1)
				if v == "" {
					c.without.Add(1)
					c.first.CompareAndSwap(nil, &err)
				}
				time.Sleep(250 * time.Millisecond)
			}
		})
	}
	all.Wait()
}

// TestCrowdBeforeAHangingOrigin: the origin hangs for 30 s, heeding contexts or not, and
// the values that were loaded before are past their TTL. Nobody goes without one, though
// nobody has as much time as StaleWait, and the origin sees few loads.
func TestCrowdBeforeAHangingOrigin(t *testing.T) {
	for _, heeds := range []bool{true, false} {
		for _, timeout := range []time.Duration{0, 5 * time.Second} {
			t.Run(fmt.Sprintf("heeds its context=%t, LoadTimeout=%v", heeds, timeout), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					var loads atomic.Int64
					var hangs atomic.Pointer[chan struct{}]
					m := kit.New(t, 3)
					m.Net.SetLatency(0, 2*time.Millisecond)
					groups := kit.GroupOn(m, "g", func(ctx context.Context, _ string) (string, error) {
						loads.Add(1)
						if hang := hangs.Load(); hang != nil && heeds {
							select {
							case <-*hang:
							case <-ctx.Done():
								return "", ctx.Err()
							}
						} else if hang != nil {
							<-*hang
						}
						return "v", nil
					}, cachemesh.GroupOptions[string]{TTL: time.Second, StaleFor: time.Hour, LoadTimeout: timeout})
					keys := []string{m.KeyOf("g", 0), m.KeyOf("g", 1), m.KeyOf("g", 2)}
					for _, key := range keys {
						kit.MustGet(t, groups[0], key, "v")
					}
					hang := make(chan struct{})
					hangs.Store(&hang)
					time.Sleep(time.Second)
					before, c := loads.Load(), new(impatient)
					c.ask(ctx, groups, keys, 30*time.Second)
					during := loads.Load() - before
					hangs.Store(nil)
					close(hang)
					t.Logf("%d Gets in 30 s, %d without a value; %d loads of %d keys", c.gets.Load(), c.without.Load(), during, len(keys))
					if err := c.first.Load(); err != nil {
						t.Errorf("%d of %d Gets brought no value; the first: %v", c.without.Load(), c.gets.Load(), *err)
					}
					if during > 8*int64(len(keys)) {
						t.Errorf("%d loads of %d keys", during, len(keys))
					}
					time.Sleep(15 * time.Second)
					for _, key := range keys { // at most one more asks in vain, for the origin is well again
						groups[1].Get(ctx, key)
						time.Sleep(time.Second)
						kit.MustGet(t, groups[1], key, "v")
					}
				})
			})
		}
	}
}

// TestCrowdBeforeAnOriginThatIsDown: nothing old is there. With FailureTTL the loads of a
// key follow each other after 0.1, 0.2, 0.4 s and so on up to 10 s: 9 in the first 30 s.
func TestCrowdBeforeAnOriginThatIsDown(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var loads atomic.Int64
		m := kit.New(t, 3)
		groups := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
			loads.Add(1)
			return "", kit.ErrOrigin
		}, cachemesh.GroupOptions[string]{FailureTTL: 100 * time.Millisecond, Errors: []error{kit.ErrOrigin}})
		keys := []string{m.KeyOf("g", 0), m.KeyOf("g", 1), m.KeyOf("g", 2)}
		c := new(impatient)
		c.ask(ctx, groups, keys, 30*time.Second)
		t.Logf("%d Gets in 30 s: %d loads of %d keys", c.gets.Load(), loads.Load(), len(keys))
		if loads.Load() > 9*int64(len(keys)) {
			t.Errorf("%d loads of %d keys, want 9 a key at most", loads.Load(), len(keys))
		}
		if err := c.first.Load(); err == nil || !errors.Is(*err, kit.ErrOrigin) || c.without.Load() != c.gets.Load() {
			t.Errorf("%d of %d Gets failed; want all, with what the origin said", c.without.Load(), c.gets.Load())
		}
	})
}
