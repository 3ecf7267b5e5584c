package origin_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestMaxLoads asks for 10 000 cold keys at once, some by callers who have little
// time, on every member.
func TestMaxLoads(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const keys, members, maxLoads = 10_000, 3, 8
		m := kit.New(t, members)
		var inside [members]kit.Crowd
		groups := kit.GroupOnEach(m, "g", func(i int) cachemesh.LoaderFunc[string] {
			return func(_ context.Context, key string) (string, error) {
				inside[i].Enter()
				defer inside[i].Leave()
				time.Sleep(10 * time.Millisecond)
				return "value of " + key, nil
			}
		}, cachemesh.GroupOptions[string]{MaxLoads: maxLoads})
		var all sync.WaitGroup
		var overloaded, loaded, late atomic.Int64
		for k := range keys {
			all.Go(func() {
				ctx, key := ctx, fmt.Sprint("key", k)
				if k%4 == 3 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
					defer cancel()
				}
				start := time.Now()
				v, err := groups[k%members].Get(ctx, key)
				switch {
				case err == nil && v == "value of "+key:
					loaded.Add(1)
				case errors.Is(err, cachemesh.ErrOverloaded) && k%4 == 3:
					overloaded.Add(1)
				default:
					t.Errorf("Get(%q) = %q, %v", key, v, err)
				}
				if k%4 == 3 && time.Since(start) > 200*time.Millisecond {
					late.Add(1)
				}
			})
		}
		all.Wait()
		var entered int64
		for i := range inside {
			entered += inside[i].Entered.Load()
			if most := inside[i].Most.Load(); most != maxLoads {
				t.Errorf("node%d ran %d loads at once, want %d", i, most, maxLoads)
			}
		}
		t.Logf("%d Gets of cold keys on %d members: at most %d loads at once on each; %d loaded, %d of %d with a deadline of 200 ms overloaded in time, %d late",
			keys, members, maxLoads, loaded.Load(), overloaded.Load(), keys/4, late.Load())
		// A load may get its turn in the moment in which the last who waited for it leaves.
		if spared := entered - loaded.Load(); late.Load() != 0 || overloaded.Load() < keys/8 || spared < 0 || spared > members*maxLoads {
			t.Errorf("%d late, %d overloaded, %d loads for %d values", late.Load(), overloaded.Load(), entered, loaded.Load())
		}
	})
}

func TestMaxQueued(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := kit.New(t, 2), kit.NewGate()
		groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{MaxLoads: 2, MaxQueued: 3})
		keys := m.KeysOf("g", 0, 6)
		var running []<-chan kit.Outcome
		for i, key := range keys[:5] {
			running = append(running, kit.GoGet(ctx, groups[i%2], key))
			time.Sleep(time.Millisecond)
		}
		for i, g := range groups {
			start := time.Now()
			_, err := g.Get(ctx, keys[5])
			le, ok := errors.AsType[*cachemesh.LoadError](err)
			if !ok || !errors.Is(err, cachemesh.ErrOverloaded) || le.Member != "node0" || time.Since(start) != 0 {
				t.Errorf("node%d: %v after %v, want ErrOverloaded at once", i, err, time.Since(start))
			}
		}
		for range running {
			<-gate.Entered
			gate.Release <- "v"
		}
		for i, c := range running {
			if out := <-c; out.V != "v" || out.Err != nil {
				t.Errorf("Get %d = %v", i, out)
			}
		}
	})
}

// TestMaxLoadsOfLoaderThatIgnoresItsContext: its call counts until it returns.
func TestMaxLoadsOfLoaderThatIgnoresItsContext(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		var inside kit.Crowd
		g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
			inside.Enter()
			defer inside.Leave()
			time.Sleep(10 * time.Second)
			return "v", nil
		}, cachemesh.GroupOptions[string]{MaxLoads: 2, LoadTimeout: 100 * time.Millisecond})[0]
		for i := range 20 {
			if _, err := g.Get(ctx, fmt.Sprint("key", i)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Get = %v", err)
			}
		}
		if n := inside.Most.Load(); n != 2 {
			t.Errorf("%d loads at once, want 2", n)
		}
		time.Sleep(time.Minute)
		for i := range 2 { // the turns are free again
			if _, err := g.Get(ctx, fmt.Sprint("new", i)); errors.Is(err, cachemesh.ErrOverloaded) {
				t.Errorf("Get afterwards = %v", err)
			}
		}
		time.Sleep(time.Minute)
	})
}

// TestMaxLoadsCountsLoadMany as one call, and says in time that it waits.
func TestMaxLoadsCountsLoadMany(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		release := make(chan struct{})
		var inside kit.Crowd
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{MaxLoads: 1, LoadMany: func(_ context.Context, keys []string) (map[string]string, error) {
			inside.Enter()
			defer inside.Leave()
			<-release
			values := make(map[string]string)
			for _, key := range keys {
				values[key] = "value of " + key
			}
			return values, nil
		}})
		keys := m.KeysOf("g", 0, 200)
		var all sync.WaitGroup
		all.Go(func() {
			if values, err := groups[1].GetMany(ctx, keys[:100]); err != nil || len(values) != 100 {
				t.Errorf("GetMany = %d values, %v", len(values), err)
			}
		})
		time.Sleep(time.Millisecond)
		for i, g := range groups {
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			values, err := g.GetMany(short, keys[100:])
			cancel()
			failed, _ := errors.AsType[cachemesh.KeyErrors](err)
			if len(values) != 0 || len(failed) != 100 {
				t.Fatalf("node%d: %d values, %d failed, want 0 and 100", i, len(values), len(failed))
			}
			for key, err := range failed {
				if !errors.Is(err, cachemesh.ErrOverloaded) {
					t.Fatalf("node%d: %q: %v, want ErrOverloaded", i, key, err)
				}
			}
		}
		synctest.Wait() // what was called off has left its place
		close(release)
		all.Wait()
		if inside.Most.Load() != 1 || inside.Entered.Load() != 1 {
			t.Errorf("LoadMany ran %d times, %d at once, want once", inside.Entered.Load(), inside.Most.Load())
		}
	})
}

// TestWhoWaitsGoesBeforeRefreshes: hundreds of refreshes stand in the queue when a
// Get with little time comes, and one that waits for a key that is being refreshed.
func TestWhoWaitsGoesBeforeRefreshes(t *testing.T) {
	for _, queue := range []int{0, 298} {
		t.Run(fmt.Sprint("MaxQueued=", queue), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 2)
				slow := false
				groups := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
					if slow {
						time.Sleep(50 * time.Millisecond)
					}
					return "v", nil
				}, cachemesh.GroupOptions[string]{MaxLoads: 2, MaxQueued: queue, TTL: time.Hour, RefreshAfter: time.Second})
				keys := m.KeysOf("g", 0, 302)
				for _, key := range keys[:300] {
					kit.MustGet(t, groups[0], key, "v")
				}
				time.Sleep(2 * time.Second)
				slow = true
				for _, key := range keys[:300] {
					kit.MustGet(t, groups[0], key, "v")
				}
				time.Sleep(time.Millisecond) // 2 refreshes run, 298 wait
				for i, g := range groups {
					short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
					start := time.Now()
					v, err := g.Get(short, keys[300+i])
					cancel()
					if v != "v" || err != nil || time.Since(start) > 100*time.Millisecond {
						t.Errorf("node%d: Get = %q, %v after %v, a load takes 50 ms", i, v, err, time.Since(start))
					}
				}
				short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
				defer cancel()
				kit.Must(t, groups[1].Delete(ctx, keys[299])) // its refresh waits, void
				kit.MustGet(t, groups[0], keys[299], "v")
				if _, err := groups[1].Get(short, keys[299]); err != nil {
					t.Errorf("Get of a key whose refresh waits: %v", err)
				}
				time.Sleep(10 * time.Second)
			})
		})
	}
}
