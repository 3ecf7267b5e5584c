package groups_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// closedCalls are all calls of a group that has been closed.
func closedCalls(ctx context.Context, g *cachemesh.Group[string], keys []string) map[string]error {
	errs := make(map[string]error)
	for _, key := range keys {
		_, errs["Get"] = g.Get(ctx, key)
		_, errs["GetMany"] = g.GetMany(ctx, []string{key})
		_, errs["Peek"] = g.Peek(ctx, key)
		_, errs["Contains"] = g.Contains(ctx, key)
		errs["Set"] = g.Set(ctx, key, "v", 0)
		errs["Delete"] = g.Delete(ctx, key)
		errs["Delete of many"] = g.Delete(ctx, key, key+"'")
		errs["Clear"] = g.Clear(ctx)
		for name, err := range errs {
			if !errors.Is(err, cachemesh.ErrGroupClosed) {
				return map[string]error{name + " of " + key: err}
			}
		}
	}
	for key, v := range g.All() {
		return map[string]error{"All": fmt.Errorf("%q, %q", key, v)}
	}
	return nil
}

// TestGroupCloseFreesTheName: one member replaces a group by one with another type and
// another loader, while the others go on with theirs.
func TestGroupCloseFreesTheName(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := []string{m.KeyOf("g", 0), m.KeyOf("g", 1), m.KeyOf("g", 2)}
		for range 3 {
			for _, g := range groups {
				for _, key := range keys {
					kit.MustGet(t, g, key, "value of "+key)
				}
			}
		}
		kit.Must(t, groups[0].Close(ctx))
		kit.Must(t, groups[0].Close(ctx))
		if wrong := closedCalls(ctx, groups[0], keys); wrong != nil {
			t.Errorf("calls of a closed group: %v, want ErrGroupClosed", wrong)
		}
		if err := groups[0].Refresh(ctx, keys...); !errors.Is(err, cachemesh.ErrGroupClosed) {
			t.Errorf("Refresh: %v", err)
		}
		for _, key := range keys {
			kit.MustGet(t, groups[1], key, "value of "+key) // the owner does not know the group: loaded
			kit.Must(t, groups[1].Delete(ctx, key))
		}
		if err := groups[1].Set(ctx, keys[0], "v", 0); !errors.Is(err, cachemesh.ErrUnknownGroup) {
			t.Errorf("Set at a member that closed the group: %v", err)
		}
		length, err := cachemesh.NewGroup(m.Nodes[0], "g", func(_ context.Context, key string) (int, error) { return len(key), nil },
			cachemesh.GroupOptions[int]{Version: "2"})
		kit.Must(t, err)
		for range 3 {
			for _, key := range keys {
				kit.MustGet(t, length, key, len(key))
				kit.MustGet(t, groups[2], key, "value of "+key)
			}
		}
		if _, err := cachemesh.NewGroup(m.Nodes[0], "g", kit.Echo, cachemesh.GroupOptions[string]{}); err == nil {
			t.Error("the name was taken twice")
		}
		kit.Must(t, length.Close(ctx))
		m.Nodes[1].Close()
		if err := groups[1].Close(ctx); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Close of a group of a closed node: %v", err)
		}
	})
}

// TestGroupCloseRecallsCopies: another member has a hot copy of a key. The group's
// closing at the owner must not leave it there, for the owner, who knows nothing of
// the group then, will tell nobody of a Delete.
func TestGroupCloseRecallsCopies(t *testing.T) {
	for _, reachable := range []bool{true, false} {
		t.Run(fmt.Sprint("reachable=", reachable), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				var row atomic.Int64
				m := kit.New(t, 3)
				groups := kit.GroupOn(m, "g", func(context.Context, string) (int64, error) { return row.Load(), nil }, cachemesh.GroupOptions[int64]{HotReads: 1})
				key := m.KeyOf("g", 0)
				for range 10 {
					kit.MustGet(t, groups[1], key, 0)
				}
				before := groups[1].Stats().HotHits
				if kit.MustGet(t, groups[1], key, 0); groups[1].Stats().HotHits == before {
					t.Fatal("there is no hot copy")
				}
				if !reachable {
					m.Net.CutStreams(kit.Host(0), kit.Host(1))
					m.Net.CutStreams(kit.Host(0), kit.Host(2)) // no relay either
				}
				began := time.Now()
				kit.Must(t, groups[0].Close(ctx))
				if took := time.Since(began); took > time.Second+time.Second/30 || reachable && took > 100*time.Millisecond {
					t.Errorf("Close took %v", took)
				}
				row.Store(1)
				if reachable {
					kit.Must(t, groups[2].Delete(ctx, key))
				}
				kit.MustGet(t, groups[1], key, 1)
			})
		})
	}
}

// TestGroupCloseKeepsValues: what no loader could bring back is there again when the group
// is, wherever its keys have gone meanwhile, but for what was deleted.
func TestGroupCloseKeepsValues(t *testing.T) {
	for _, meanwhile := range []string{"nothing", "a member joins", "the member leaves"} {
		t.Run(meanwhile, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 3)
				groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
				const count = 300
				for i := range count {
					kit.Must(t, groups[0].Set(ctx, fmt.Sprint("key", i), fmt.Sprint("v", i), 0))
				}
				kit.Must(t, groups[0].Set(ctx, "mortal", "v", time.Minute))
				gone := m.KeyOf("g", 0)
				kit.Must(t, groups[0].Close(ctx))
				if _, err := groups[1].Get(ctx, gone); !errors.Is(err, cachemesh.ErrUnknownGroup) {
					t.Errorf("Get at a member that closed the group: %v", err)
				}
				kit.Must(t, groups[1].Delete(ctx, gone))
				time.Sleep(time.Minute)
				from := 1
				switch meanwhile {
				case "nothing":
					g, err := cachemesh.NewGroup[string](m.Nodes[0], "g", nil, cachemesh.GroupOptions[string]{Replicas: 1, MaxBytes: 1 << 20})
					kit.Must(t, err)
					groups[0] = g
				case "a member joins":
					m.Nodes = append(m.Nodes, m.NewNode(3))
					g, err := cachemesh.NewGroup[string](m.Nodes[3], "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
					kit.Must(t, err)
					kit.Must(t, m.Nodes[3].Start())
					m.Settle(4)
					groups = append(groups, g)
					if groups[0], err = cachemesh.NewGroup[string](m.Nodes[0], "g", nil, cachemesh.GroupOptions[string]{Replicas: 1}); err != nil {
						t.Fatal(err)
					}
				default:
					kit.Must(t, m.Nodes[0].Shutdown(ctx))
					m.Nodes[0] = nil
					m.Settle(2)
				}
				for i := range count {
					key := fmt.Sprint("key", i)
					if v, err := groups[from].Get(ctx, key); key == gone && !errors.Is(err, cachemesh.ErrNotFound) || key != gone && v != fmt.Sprint("v", i) {
						t.Fatalf("%s is %q, %v", key, v, err)
					}
				}
				if v, err := groups[from].Get(ctx, "mortal"); !errors.Is(err, cachemesh.ErrNotFound) {
					t.Errorf("a value whose TTL has passed: %q, %v", v, err)
				}
			})
		})
	}
}

// TestGroupCloseNamesWhatIsLost: 80 MiB of values are more than are kept.
func TestGroupCloseNamesWhatIsLost(t *testing.T) {
	m, ctx := kit.New(t, 1), kit.Context(t)
	o := cachemesh.GroupOptions[string]{MaxBytes: 512 << 20}
	g := kit.GroupOn[string](m, "g", nil, o)[0]
	big := strings.Repeat("x", 1<<20)
	for i := range 80 {
		kit.Must(t, g.Set(ctx, fmt.Sprint(i), big, 0))
	}
	lost, ok := errors.AsType[*cachemesh.LostError](g.Close(ctx))
	if !ok {
		t.Fatal("no LostError")
	}
	g = kit.GroupOn[string](m, "g", nil, o)[0]
	found := 0
	for i := range 80 {
		if v, err := g.Get(ctx, fmt.Sprint(i)); err == nil && v == big {
			found++
		}
	}
	t.Logf("of 80 values %d are back, %d lost", found, lost.Values)
	if found+lost.Values != 80 || found < 60 {
		t.Errorf("%d values are back, %d lost, of 80", found, lost.Values)
	}
}

// TestGroupCloseEndsLoads: a loader, or LoadMany, that heeds its context or not, for a
// caller on another member and one here. With time they are answered; without they are
// called off, and what comes late stays out of the group that follows.
func TestGroupCloseEndsLoads(t *testing.T) {
	for _, how := range []string{"in time", "called off", "ignores its context", "LoadMany, called off"} {
		t.Run(how, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, gate := kit.New(t, 3), kit.NewGate()
				o, load := cachemesh.GroupOptions[string]{}, gate.Load
				switch how {
				case "ignores its context":
					load = func(_ context.Context, key string) (string, error) { return gate.Load(context.Background(), key) }
				case "LoadMany, called off":
					o.LoadMany = func(ctx context.Context, keys []string) (map[string]string, error) {
						v, err := gate.Load(ctx, keys[0])
						if err != nil {
							return nil, err
						}
						return map[string]string{keys[0]: v}, nil
					}
					o.BatchWindow, load = time.Millisecond, nil
				}
				groups := kit.GroupOn(m, "g", load, o)
				key, unstored := m.KeyOf("g", 0), m.KeyOf("g", 1)
				kit.Must(t, groups[1].Close(ctx)) // so that a load whose value is not stored runs, too
				here, there, beside := kit.GoGet(ctx, groups[0], key), kit.GoGet(ctx, groups[2], key), kit.GoGet(ctx, groups[0], unstored)
				<-gate.Entered
				<-gate.Entered
				synctest.Wait()
				closing, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				closed := make(chan error, 1)
				go func() { closed <- groups[0].Close(closing) }()
				if how == "in time" {
					synctest.Wait()
					gate.Release <- "old"
					gate.Release <- "old"
					for _, c := range []<-chan kit.Outcome{here, there, beside} {
						if out := <-c; out.V != "old" || out.Err != nil {
							t.Errorf("a load under way: %v", out)
						}
					}
					kit.Must(t, <-closed)
				} else {
					if err := <-closed; !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Close: %v, want its ctx's error", err)
					}
					for _, c := range []<-chan kit.Outcome{here, beside} {
						if out := <-c; !errors.Is(out.Err, cachemesh.ErrGroupClosed) {
							t.Errorf("a load that was called off: %v", out)
						}
					}
					kit.Must(t, groups[0].Close(ctx))
				}
				g, err := cachemesh.NewGroup(m.Nodes[0], "g", func(context.Context, string) (int, error) { return 7, nil }, cachemesh.GroupOptions[int]{})
				kit.Must(t, err)
				kit.MustGet(t, g, key, 7)
				if how == "ignores its context" {
					gate.Release <- "late"
					gate.Release <- "late"
				}
				synctest.Wait()
				kit.MustGet(t, g, key, 7)
				if how != "in time" { // it loads for itself: the owner does not know the group any more
					if how != "ignores its context" {
						<-gate.Entered
					}
					gate.Release <- "own"
					<-there
				}
			})
		})
	}
}
