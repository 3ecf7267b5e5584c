package owner_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A hanging origin answers until it hangs, and then only when it is let go.
type hanging struct {
	loads atomic.Int64
	gate  atomic.Pointer[chan string] // nil: it does not hang
}

func (o *hanging) hang() chan string {
	gate := make(chan string)
	o.gate.Store(&gate)
	return gate
}

func (o *hanging) load(ctx context.Context, _ string) (string, error) {
	o.loads.Add(1)
	gate := o.gate.Load()
	if gate == nil {
		return "old", nil
	}
	select {
	case v := <-*gate:
		return v, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (o *hanging) loadMany(ctx context.Context, keys []string) (map[string]string, error) {
	v, err := o.load(ctx, "")
	values := make(map[string]string)
	for _, key := range keys {
		values[key] = v
	}
	return values, err
}

// TestStaleWait: an old value is there and the origin hangs. Callers get it after
// StaleWait, or shortly before their own time is over, and the load goes on.
func TestStaleWait(t *testing.T) {
	for _, how := range []string{"loader", "LoadMany", "GetMany"} {
		for _, wait := range []time.Duration{0, 50 * time.Millisecond} {
			for owner := range 2 {
				t.Run(fmt.Sprint(how, "/wait=", wait, "/owner=node", owner), func(t *testing.T) {
					kit.Bubble(t, func(t *testing.T, ctx context.Context) { staleWait(t, ctx, how, wait, owner) })
				})
			}
		}
	}
}

func staleWait(t *testing.T, ctx context.Context, how string, wait time.Duration, owner int) {
	m, origin := kit.New(t, 2), &hanging{}
	o := cachemesh.GroupOptions[string]{TTL: 10 * time.Millisecond, StaleFor: time.Hour, StaleWait: wait}
	load := origin.load
	if how != "loader" {
		load, o.LoadMany = nil, origin.loadMany
	}
	groups := kit.GroupOn(m, "g", load, o)
	key := m.KeyOf("g", owner)
	get := func(ctx context.Context) (string, error) {
		if how != "GetMany" {
			return groups[0].Get(ctx, key)
		}
		values, err := groups[0].GetMany(ctx, []string{key})
		if failed, ok := errors.AsType[cachemesh.KeyErrors](err); ok {
			err = failed[key]
		}
		return values[key], err
	}
	if v, err := get(ctx); v != "old" || err != nil {
		t.Fatalf("Get = %q, %v", v, err)
	}
	gate := origin.hang()
	time.Sleep(20 * time.Millisecond)
	longest := wait
	if wait == 0 {
		longest = 250 * time.Millisecond // the default
	}
	if short := longest / 2; true {
		short, cancel := context.WithTimeout(ctx, short)
		start := time.Now()
		v, err := get(short)
		cancel()
		stale, ok := errors.AsType[*cachemesh.StaleError](err)
		if v != "old" || !ok || !errors.Is(err, context.DeadlineExceeded) || stale.Age < 10*time.Millisecond {
			t.Fatalf("with less time than StaleWait: Get = %q, %v after %v, want the old value", v, err, time.Since(start))
		}
	}
	time.Sleep(longest)
	for i := range 10 { // the load has run for longer: nobody waits
		start := time.Now()
		v, err := get(ctx)
		if _, ok := errors.AsType[*cachemesh.StaleError](err); !ok || v != "old" || time.Since(start) != 0 {
			t.Fatalf("Get %d = %q, %v after %v, want the old value at once", i, v, err, time.Since(start))
		}
	}
	if n := origin.loads.Load(); n != 2 {
		t.Errorf("%d loads, want 2", n)
	}
	gate <- "new" // it still reads what it is given
	synctest.Wait()
	if v, err := get(ctx); v != "new" || err != nil || origin.loads.Load() != 2 {
		t.Errorf("Get = %q, %v, %d loads after the origin answered, want what it said", v, err, origin.loads.Load())
	}
}

// TestStaleWaitEndsWithWrites: what was deleted while the load hangs is not served.
func TestStaleWaitEndsWithWrites(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, origin := kit.New(t, 2), &hanging{}
		groups := kit.GroupOn(m, "g", origin.load, cachemesh.GroupOptions[string]{TTL: 10 * time.Millisecond, StaleFor: time.Hour, LoadTimeout: 3 * time.Second})
		for i, g := range groups {
			key := m.KeysOf("g", 0, 2)[i]
			origin.gate.Store(nil)
			kit.MustGet(t, g, key, "old")
			origin.hang()
			time.Sleep(20 * time.Millisecond)
			waiting := kit.GoGet(ctx, groups[1], key)
			time.Sleep(time.Millisecond)
			kit.Must(t, groups[0].Delete(ctx, key))
			if out := <-waiting; out.V != "" || out.Err == nil {
				t.Errorf("a Get that waited has %v: the value was deleted", out)
			}
			if v, err := g.Get(ctx, key); v != "" || err == nil {
				t.Errorf("Get = %q, %v after a Delete", v, err)
			}
		}
	})
}

// TestLoadsThatGoOn: callers have less time than the loader needs. With FinishLoads
// the first load is the last, and one that a write voids is not kept.
func TestLoadsThatGoOn(t *testing.T) {
	for _, goesOn := range []bool{false, true} {
		for owner := range 2 {
			t.Run(fmt.Sprint("FinishLoads=", goesOn, "/owner=node", owner), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m, o := kit.New(t, 2), &slowOrigin{takes: 100 * time.Millisecond}
					groups := kit.GroupOn(m, "g", o.load, cachemesh.GroupOptions[int64]{FinishLoads: goesOn})
					key := m.KeyOf("g", owner)
					found := 0
					for range 20 {
						short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
						if _, err := groups[0].Get(short, key); err == nil {
							found++
						} else if !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("Get: %v", err)
						}
						cancel()
						time.Sleep(time.Millisecond)
					}
					t.Logf("20 Gets with 30 ms, a load takes 100 ms: %d loads, %d found", o.Entered.Load(), found)
					if n := o.Entered.Load(); goesOn && (n != 1 || found < 16) || !goesOn && (n < 15 || found != 0) {
						t.Errorf("%d loads, %d found", n, found)
					}
					other := m.KeysOf("g", owner, 2)[1]
					short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
					defer cancel()
					groups[0].Get(short, other)
					o.version.Store(7)
					kit.Must(t, groups[1].Delete(ctx, other))
					time.Sleep(time.Second)
					kit.MustGet(t, groups[0], other, 7)
				})
			})
		}
	}
}

// A lateTimer is a context whose deadline is known and whose timer does not come.
type lateTimer struct {
	context.Context
	deadline time.Time
}

func (l lateTimer) Deadline() (time.Time, bool) { return l.deadline, true }

// TestNoLoadAfterTheDeadline: that the caller's time is over is no answer of the owner
// that would have the caller load the key itself.
func TestNoLoadAfterTheDeadline(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, o := kit.New(t, 3), &slowOrigin{takes: 100 * time.Millisecond}
		groups := kit.GroupOn(m, "g", o.load, cachemesh.GroupOptions[int64]{})
		for _, left := range []time.Duration{0, 30 * time.Millisecond} {
			for _, many := range []bool{false, true} {
				before := o.Entered.Load()
				late, err := lateTimer{ctx, time.Now().Add(left)}, error(nil)
				if key := m.KeyOf("g", 1); many {
					_, err = groups[0].GetMany(late, []string{key})
				} else {
					_, err = groups[0].Get(late, key)
				}
				synctest.Wait()
				loads := o.Entered.Load() - before
				if want := min(1, int64(left)); loads != want || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("with %v, many %t: %d loads, %v; want %d and the deadline", left, many, loads, err, want)
				}
			}
		}
	})
}
