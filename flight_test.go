package cachemesh_test

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
)

// A slowOrigin is one row that is slow to read. It counts who reads it at once.
type slowOrigin struct {
	crowd
	version atomic.Int64
	takes   time.Duration
	ignores bool          // its context
	giveUp  time.Duration // how long it needs to return when its context ends
}

func (o *slowOrigin) load(ctx context.Context, _ string) (int64, error) {
	o.enter()
	defer o.leave()
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
				bubble(t, func(t *testing.T, ctx context.Context) {
					m, o := newMesh(t, 2), &slowOrigin{takes: load}
					var groups []*cachemesh.Group[int64]
					if how == "loader" {
						groups = groupOn(m, "g", o.load, cachemesh.GroupOptions[int64]{})
					} else {
						groups = groupOn(m, "g", nil, cachemesh.GroupOptions[int64]{LoadMany: o.loadMany, BatchWindow: time.Millisecond})
					}
					key := m.keyOf("g", owner)
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
						must(t, groups[1].Delete(ctx, key))
						floor.Store(v)
					}
					all.Wait()
					t.Logf("%d Gets, %d Deletes: %d loads, at most %d at once; the longest Get took %v",
						gets.Load(), deletes, o.entered.Load(), o.most.Load(), longest)
					if most := int64(2*lasts/load) + 4; o.entered.Load() > most || o.most.Load() > 2 {
						t.Errorf("%d loads, %d at once, want at most %d and 2", o.entered.Load(), o.most.Load(), most)
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
				bubble(t, func(t *testing.T, ctx context.Context) {
					m, o := newMesh(t, 1), &slowOrigin{takes: test.takes, giveUp: test.giveUp, ignores: test.ignores}
					load, options := o.load, cachemesh.GroupOptions[int64]{}
					if many {
						load, options.LoadMany, options.BatchWindow = nil, o.loadMany, time.Millisecond
					}
					g := groupOn(m, "g", load, options)[0]
					for range 100 {
						short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
						if _, err := g.Get(short, "k"); !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("Get = %v", err)
						}
						cancel()
					}
					t.Logf("100 Gets of 10 ms: %d loads, at most %d at once", o.entered.Load(), o.most.Load())
					if o.most.Load() > 2 {
						t.Errorf("%d loads of a key at once", o.most.Load())
					}
					start := time.Now()
					mustGet(t, g, "k", 0)
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
			bubble(t, func(t *testing.T, ctx context.Context) {
				const timeout, bound = time.Second, 8
				m := newMesh(t, 2)
				var inside crowd
				release := make(chan struct{})
				load := func(context.Context, string) (int64, error) {
					inside.enter()
					defer inside.leave()
					<-release
					return 1, nil
				}
				options := cachemesh.GroupOptions[int64]{LoadTimeout: timeout}
				if many {
					load, options.LoadMany = nil, func(_ context.Context, keys []string) (map[string]int64, error) {
						inside.enter()
						defer inside.leave()
						<-release
						return map[string]int64{keys[0]: 1}, nil
					}
				}
				groups := groupOn(m, "g", load, options)
				key, refused, longest := m.keyOf("g", 0), 0, time.Duration(0)
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
				t.Logf("40 Gets: %d calls of the loader, at most %d at once, %d Gets refused at once, none longer than %v", inside.entered.Load(), inside.most.Load(), refused, longest)
				if inside.most.Load() != bound || refused != 40-bound || longest > timeout+20*time.Millisecond {
					t.Errorf("%d at once, %d refused, the longest Get took %v; want %d, %d, %v", inside.most.Load(), refused, longest, bound, 40-bound, timeout)
				}
				close(release)
				synctest.Wait()
				mustGet(t, groups[1], key, 1)
			})
		})
	}
}

// TestReadersBesideWrites: in a group with a Writer a load that was voided answers
// nobody; still no reader starves, however often the key is written.
func TestReadersBesideWrites(t *testing.T) {
	const load, lasts = 50 * time.Millisecond, 2 * time.Second
	for owner := range 2 {
		for _, writes := range []time.Duration{0, 3 * time.Millisecond, 20 * time.Millisecond} {
			t.Run(fmt.Sprintf("owner=node%d/a write takes %v", owner, writes), func(t *testing.T) {
				bubble(t, func(t *testing.T, ctx context.Context) {
					m, d := newMesh(t, 2), newDatabase()
					var inside crowd
					d.set(func(context.Context, string) error { time.Sleep(writes); return nil })
					groups := groupOn(m, "g", func(ctx context.Context, key string) (string, error) {
						inside.enter()
						defer inside.leave()
						v, err := d.load(ctx, key)
						select {
						case <-time.After(load):
						case <-ctx.Done():
						}
						return v, err
					}, cachemesh.GroupOptions[string]{Writer: d, NotFoundTTL: time.Minute})
					key := m.keyOf("g", owner)
					end := time.Now().Add(lasts)
					var all sync.WaitGroup
					var gets, deletes atomic.Int64
					var longest, longestWrite time.Duration
					var mu sync.Mutex // guards longestWrite
					for range 3 {     // writers that leave no gap
						all.Go(func() {
							for time.Now().Before(end) {
								start := time.Now()
								must(t, groups[1].Delete(ctx, key))
								mu.Lock()
								longestWrite = max(longestWrite, time.Since(start))
								mu.Unlock()
								deletes.Add(1)
								time.Sleep(5 * time.Millisecond)
							}
						})
					}
					all.Go(func() {
						for time.Now().Before(end) {
							start := time.Now()
							_, err := groups[0].Get(ctx, key)
							if !errors.Is(err, cachemesh.ErrNotFound) {
								t.Errorf("Get = %v", err)
							}
							gets.Add(1)
							longest = max(longest, time.Since(start))
							time.Sleep(time.Millisecond)
						}
					})
					all.Wait()
					t.Logf("%d Gets and %d Deletes of the same key: %d loads, at most %d at once; the longest Get took %v, the longest Delete %v",
						gets.Load(), deletes.Load(), inside.entered.Load(), inside.most.Load(), longest, longestWrite)
					if longest > 2*load+3*writes+10*time.Millisecond || inside.most.Load() > 2 {
						t.Errorf("a Get took %v, a load takes %v; %d loads at once", longest, load, inside.most.Load())
					}
				})
			})
		}
	}
}

// TestLoadsThatAreNotStored, because the owner does not know the group, run one at
// a time, and no more than a few are given up.
func TestLoadsThatAreNotStored(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, o := newMesh(t, 2), &slowOrigin{takes: 500 * time.Millisecond, ignores: true}
		g, err := cachemesh.NewGroup(m.nodes[0], "g", o.load, cachemesh.GroupOptions[int64]{})
		must(t, err)
		for range 100 {
			short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			g.Get(short, m.keyOf("g", 1))
			cancel()
		}
		t.Logf("100 Gets of 10 ms: %d loads, at most %d at once", o.entered.Load(), o.most.Load())
		if o.most.Load() != 1 {
			t.Errorf("%d loads at once", o.most.Load())
		}
		mustGet(t, g, m.keyOf("g", 1), 0)

		never := &slowOrigin{takes: time.Minute, ignores: true}
		g, err = cachemesh.NewGroup(m.nodes[0], "never", never.load, cachemesh.GroupOptions[int64]{LoadTimeout: time.Second})
		must(t, err)
		refused := 0
		for range 40 {
			if _, err := g.Get(ctx, m.keyOf("never", 1)); errors.Is(err, cachemesh.ErrOverloaded) {
				refused++
			}
		}
		if never.most.Load() != 8 || refused != 32 {
			t.Errorf("%d loads at once that never return, %d Gets refused, want 8 and 32", never.most.Load(), refused)
		}
		time.Sleep(2 * time.Minute) // until they have returned
	})
}
