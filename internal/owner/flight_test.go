package owner_test

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

// A slowOrigin is one row that is slow to read. It counts who reads it at once.
type slowOrigin struct {
	kit.Crowd
	version atomic.Int64
	takes   time.Duration
	ignores bool          // its context
	giveUp  time.Duration // how long it needs to return when its context ends
}

func (o *slowOrigin) load(ctx context.Context, _ string) (int64, error) {
	o.Enter()
	defer o.Leave()
	v := o.version.Load()
	if o.ignores {
		ctx = context.Background()
	}
	select {
	case <-time.After(o.takes):
		return v, nil
	case <-ctx.Done():
		time.Sleep(o.giveUp)
		return 0, ctx.Err()
	}
}

func (o *slowOrigin) loadMany(ctx context.Context, keys []string) (map[string]int64, error) {
	v, err := o.load(ctx, "")
	values := make(map[string]int64)
	for _, key := range keys {
		values[key] = v
	}
	return values, err
}

// TestDeletedWhileItIsRead deletes a key again and again while eight callers read
// it. A load that was voided is followed by one more, which serves all who came
// since; nobody waits for longer than two loads.
func TestDeletedWhileItIsRead(t *testing.T) {
	const load, every, lasts = 50 * time.Millisecond, 5 * time.Millisecond, 2 * time.Second
	for _, how := range []string{"loader", "LoadMany", "GetMany"} {
		for owner := range 2 {
			t.Run(fmt.Sprint(how, "/owner=node", owner), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m, o := kit.New(t, 2), &slowOrigin{takes: load}
					var groups []*cachemesh.Group[int64]
					if how == "loader" {
						groups = kit.GroupOn(m, "g", o.load, cachemesh.GroupOptions[int64]{})
					} else {
						groups = kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[int64]{LoadMany: o.loadMany, BatchWindow: time.Millisecond})
					}
					key := m.KeyOf("g", owner)
					end := time.Now().Add(lasts)
					var all sync.WaitGroup
					var gets, floor atomic.Int64
					var longest time.Duration
					var mu sync.Mutex // guards longest
					for i := range 8 {
						all.Go(func() {
							time.Sleep(time.Duration(i) * load / 8)
							for time.Now().Before(end) {
								least, start := floor.Load(), time.Now()
								var v int64
								var err error
								if how == "GetMany" {
									var values map[string]int64
									values, err = groups[0].GetMany(ctx, []string{key})
									v = values[key]
								} else {
									v, err = groups[0].Get(ctx, key)
								}
								if err != nil || v < least {
									t.Errorf("Get = version %d, %v, after what came before %d was deleted", v, err, least)
								}
								gets.Add(1)
								mu.Lock()
								longest = max(longest, time.Since(start))
								mu.Unlock()
							}
						})
					}
					deletes := 0
					for ; time.Now().Before(end); deletes++ {
						time.Sleep(every)
						v := o.version.Add(1)
						kit.Must(t, groups[1].Delete(ctx, key))
						floor.Store(v)
					}
					all.Wait()
					t.Logf("%d Gets, %d Deletes: %d loads, at most %d at once; the longest Get took %v",
						gets.Load(), deletes, o.Entered.Load(), o.Most.Load(), longest)
					if most := int64(2*lasts/load) + 4; o.Entered.Load() > most || o.Most.Load() > 2 {
						t.Errorf("%d loads, %d at once, want at most %d and 2", o.Entered.Load(), o.Most.Load(), most)
					}
					if longest > 2*load+10*time.Millisecond {
						t.Errorf("a Get took %v, a load %v", longest, load)
					}
				})
			})
		}
	}
}

// TestImpatientCallers have less time than the loader needs, which takes a while
// to give up, or does not. One more load runs beside one that was called off.
func TestImpatientCallers(t *testing.T) {
	for _, test := range []struct {
		name          string
		takes, giveUp time.Duration
		ignores       bool
	}{
		{name: "gives up slowly", takes: 50 * time.Millisecond, giveUp: 5 * time.Millisecond},
		{name: "ignores its context", takes: 500 * time.Millisecond, ignores: true},
	} {
		for _, many := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/LoadMany=%t", test.name, many), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m, o := kit.New(t, 1), &slowOrigin{takes: test.takes, giveUp: test.giveUp, ignores: test.ignores}
					load, options := o.load, cachemesh.GroupOptions[int64]{}
					if many {
						load, options.LoadMany, options.BatchWindow = nil, o.loadMany, time.Millisecond
					}
					g := kit.GroupOn(m, "g", load, options)[0]
					for range 100 {
						short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
						if _, err := g.Get(short, "k"); !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("Get = %v", err)
						}
						cancel()
					}
					t.Logf("100 Gets of 10 ms: %d loads, at most %d at once", o.Entered.Load(), o.Most.Load())
					if o.Most.Load() > 2 {
						t.Errorf("%d loads of a key at once", o.Most.Load())
					}
					start := time.Now()
					kit.MustGet(t, g, "k", 0)
					if took := time.Since(start); took > 2*test.takes+10*time.Millisecond {
						t.Errorf("a patient Get took %v, a load %v", took, test.takes)
					}
				})
			})
		}
	}
}

// TestLoadersThatNeverReturn are given up, but not without a bound.
func TestLoadersThatNeverReturn(t *testing.T) {
	for _, many := range []bool{false, true} {
		t.Run(fmt.Sprint("LoadMany=", many), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				const timeout, bound = time.Second, 8
				m := kit.New(t, 2)
				var inside kit.Crowd
				release := make(chan struct{})
				load := func(context.Context, string) (int64, error) {
					inside.Enter()
					defer inside.Leave()
					<-release
					return 1, nil
				}
				options := cachemesh.GroupOptions[int64]{LoadTimeout: timeout}
				if many {
					load, options.LoadMany = nil, func(_ context.Context, keys []string) (map[string]int64, error) {
						inside.Enter()
						defer inside.Leave()
						<-release
						return map[string]int64{keys[0]: 1}, nil
					}
				}
				groups := kit.GroupOn(m, "g", load, options)
				key, refused, longest := m.KeyOf("g", 0), 0, time.Duration(0)
				for i := range 40 {
					start := time.Now()
					_, err := groups[i%2].Get(ctx, key)
					longest = max(longest, time.Since(start))
					le, ok := errors.AsType[*cachemesh.LoadError](err)
					switch {
					case !ok || le.Key != key:
						t.Fatalf("Get = %v, want a LoadError", err)
					case errors.Is(err, cachemesh.ErrOverloaded):
						refused++
					case !errors.Is(err, context.DeadlineExceeded):
						t.Errorf("Get = %v, want DeadlineExceeded", err)
					}
				}
				t.Logf("40 Gets: %d calls of the loader, at most %d at once, %d Gets refused at once, none longer than %v", inside.Entered.Load(), inside.Most.Load(), refused, longest)
				if inside.Most.Load() != bound || refused != 40-bound || longest > timeout+20*time.Millisecond {
					t.Errorf("%d at once, %d refused, the longest Get took %v; want %d, %d, %v", inside.Most.Load(), refused, longest, bound, 40-bound, timeout)
				}
				close(release)
				synctest.Wait()
				kit.MustGet(t, groups[1], key, 1)
			})
		})
	}
}
