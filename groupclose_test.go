package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
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
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := []string{m.keyOf("g", 0), m.keyOf("g", 1), m.keyOf("g", 2)}
		for range 3 {
			for _, g := range groups {
				for _, key := range keys {
					mustGet(t, g, key, "value of "+key)
				}
			}
		}
		must(t, groups[0].Close(ctx))
		must(t, groups[0].Close(ctx))
		if wrong := closedCalls(ctx, groups[0], keys); wrong != nil {
			t.Errorf("calls of a closed group: %v, want ErrGroupClosed", wrong)
		}
		if err := groups[0].Refresh(ctx, keys...); !errors.Is(err, cachemesh.ErrGroupClosed) {
			t.Errorf("Refresh: %v", err)
		}
		for _, key := range keys {
			mustGet(t, groups[1], key, "value of "+key) // the owner does not know the group: loaded
			must(t, groups[1].Delete(ctx, key))
		}
		if err := groups[1].Set(ctx, keys[0], "v", 0); !errors.Is(err, cachemesh.ErrUnknownGroup) {
			t.Errorf("Set at a member that closed the group: %v", err)
		}
		length, err := cachemesh.NewGroup(m.nodes[0], "g", func(_ context.Context, key string) (int, error) { return len(key), nil },
			cachemesh.GroupOptions[int]{Version: "2"})
		must(t, err)
		for range 3 {
			for _, key := range keys {
				mustGet(t, length, key, len(key))
				mustGet(t, groups[2], key, "value of "+key)
			}
		}
		if _, err := cachemesh.NewGroup(m.nodes[0], "g", echoLoader, cachemesh.GroupOptions[string]{}); err == nil {
			t.Error("the name was taken twice")
		}
		must(t, length.Close(ctx))
		m.nodes[1].Close()
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
			bubble(t, func(t *testing.T, ctx context.Context) {
				var row atomic.Int64
				m := newMesh(t, 3)
				groups := groupOn(m, "g", func(context.Context, string) (int64, error) { return row.Load(), nil }, cachemesh.GroupOptions[int64]{HotReads: 1})
				key := m.keyOf("g", 0)
				for range 10 {
					mustGet(t, groups[1], key, 0)
				}
				before := groups[1].Stats().HotHits
				if mustGet(t, groups[1], key, 0); groups[1].Stats().HotHits == before {
					t.Fatal("there is no hot copy")
				}
				if !reachable {
					m.net.CutStreams(hostName(0), hostName(1))
					m.net.CutStreams(hostName(0), hostName(2)) // no relay either
				}
				began := time.Now()
				must(t, groups[0].Close(ctx))
				if took := time.Since(began); took > time.Second || reachable && took > 100*time.Millisecond {
					t.Errorf("Close took %v", took)
				}
				row.Store(1)
				if reachable {
					must(t, groups[2].Delete(ctx, key))
				}
				mustGet(t, groups[1], key, 1)
			})
		})
	}
}

// TestGroupCloseKeepsValues: what no loader could bring back is there again when the group
// is, wherever its keys have gone meanwhile, but for what was deleted.
func TestGroupCloseKeepsValues(t *testing.T) {
	for _, meanwhile := range []string{"nothing", "a member joins", "the member leaves"} {
		t.Run(meanwhile, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				m := newMesh(t, 3)
				groups := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
				const count = 300
				for i := range count {
					must(t, groups[0].Set(ctx, fmt.Sprint("key", i), fmt.Sprint("v", i), 0))
				}
				must(t, groups[0].Set(ctx, "mortal", "v", time.Minute))
				gone := m.keyOf("g", 0)
				must(t, groups[0].Close(ctx))
				if _, err := groups[1].Get(ctx, gone); !errors.Is(err, cachemesh.ErrUnknownGroup) {
					t.Errorf("Get at a member that closed the group: %v", err)
				}
				must(t, groups[1].Delete(ctx, gone))
				time.Sleep(time.Minute)
				from := 1
				switch meanwhile {
				case "nothing":
					g, err := cachemesh.NewGroup[string](m.nodes[0], "g", nil, cachemesh.GroupOptions[string]{MaxBytes: 1 << 20})
					must(t, err)
					groups[0] = g
				case "a member joins":
					m.nodes = append(m.nodes, m.newNode(3))
					g, err := cachemesh.NewGroup[string](m.nodes[3], "g", nil, cachemesh.GroupOptions[string]{})
					must(t, err)
					must(t, m.nodes[3].Start())
					m.settle(4)
					groups = append(groups, g)
					if groups[0], err = cachemesh.NewGroup[string](m.nodes[0], "g", nil, cachemesh.GroupOptions[string]{}); err != nil {
						t.Fatal(err)
					}
				default:
					must(t, m.nodes[0].Shutdown(ctx))
					m.nodes[0] = nil
					m.settle(2)
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
	m, ctx := newMesh(t, 1), testContext(t)
	o := cachemesh.GroupOptions[string]{MaxBytes: 512 << 20}
	g := groupOn[string](m, "g", nil, o)[0]
	big := strings.Repeat("x", 1<<20)
	for i := range 80 {
		must(t, g.Set(ctx, fmt.Sprint(i), big, 0))
	}
	lost, ok := errors.AsType[*cachemesh.LostError](g.Close(ctx))
	if !ok {
		t.Fatal("no LostError")
	}
	g = groupOn[string](m, "g", nil, o)[0]
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
			bubble(t, func(t *testing.T, ctx context.Context) {
				m, gate := newMesh(t, 3), newGate()
				o, load := cachemesh.GroupOptions[string]{}, gate.load
				switch how {
				case "ignores its context":
					load = func(_ context.Context, key string) (string, error) { return gate.load(context.Background(), key) }
				case "LoadMany, called off":
					o.LoadMany = func(ctx context.Context, keys []string) (map[string]string, error) {
						v, err := gate.load(ctx, keys[0])
						if err != nil {
							return nil, err
						}
						return map[string]string{keys[0]: v}, nil
					}
					o.BatchWindow, load = time.Millisecond, nil
				}
				groups := groupOn(m, "g", load, o)
				key, unstored := m.keyOf("g", 0), m.keyOf("g", 1)
				must(t, groups[1].Close(ctx)) // so that a load whose value is not stored runs, too
				here, there, beside := goGet(ctx, groups[0], key), goGet(ctx, groups[2], key), goGet(ctx, groups[0], unstored)
				<-gate.entered
				<-gate.entered
				synctest.Wait()
				closing, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				closed := make(chan error, 1)
				go func() { closed <- groups[0].Close(closing) }()
				if how == "in time" {
					synctest.Wait()
					gate.release <- "old"
					gate.release <- "old"
					for _, c := range []<-chan outcome{here, there, beside} {
						if out := <-c; out.v != "old" || out.err != nil {
							t.Errorf("a load under way: %v", out)
						}
					}
					must(t, <-closed)
				} else {
					if err := <-closed; !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Close: %v, want its ctx's error", err)
					}
					for _, c := range []<-chan outcome{here, beside} {
						if out := <-c; !errors.Is(out.err, cachemesh.ErrGroupClosed) {
							t.Errorf("a load that was called off: %v", out)
						}
					}
					must(t, groups[0].Close(ctx))
				}
				g, err := cachemesh.NewGroup(m.nodes[0], "g", func(context.Context, string) (int, error) { return 7, nil }, cachemesh.GroupOptions[int]{})
				must(t, err)
				mustGet(t, g, key, 7)
				if how == "ignores its context" {
					gate.release <- "late"
					gate.release <- "late"
				}
				synctest.Wait()
				mustGet(t, g, key, 7)
				if how != "in time" { // it loads for itself: the owner does not know the group any more
					if how != "ignores its context" {
						<-gate.entered
					}
					gate.release <- "own"
					<-there
				}
			})
		})
	}
}

// TestGroupCloseWaitsForWriters: a Writer that hangs may change the row yet, so that no
// other may be called before it is over, but not for ever. What it writes when it was
// given up is seen by the group that follows.
func TestGroupCloseWaitsForWriters(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, d := newMesh(t, 2), newDatabase()
		d.shared = true
		hang := make(chan struct{})
		d.before = func(context.Context, string) error { <-hang; return nil }
		o := cachemesh.GroupOptions[string]{Writer: d, LoadTimeout: time.Second}
		groups := groupOn(m, "g", d.load, o)
		key := m.keyOf("g", 0)
		written := make(chan error, 1)
		go func() { written <- groups[0].Set(ctx, key, "old", 0) }()
		synctest.Wait()
		began := time.Now()
		must(t, groups[0].Close(ctx))
		if took := time.Since(began); took < 2*time.Second || took > 2100*time.Millisecond {
			t.Errorf("Close took %v, want twice LoadTimeout", took)
		}
		if err := <-written; err == nil {
			t.Error("Set returned nil, its Writer has not returned")
		}
		o.Writer = nil
		g, err := cachemesh.NewGroup(m.nodes[0], "g", d.load, o)
		must(t, err)
		if _, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("Get: %v", err)
		}
		must(t, g.Set(ctx, key, "new", 0))
		mustGet(t, g, key, "new")
		close(hang)
		synctest.Wait()
		mustGet(t, g, key, "old")
	})
}

// TestGroupCloseOwes: what was deleted in a minority the majority is made to forget,
// though the group was closed, and perhaps replaced once and again, before they met.
func TestGroupCloseOwes(t *testing.T) {
	for replaced := range 3 {
		t.Run(fmt.Sprint("replaced=", replaced), func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				c := &collector{forgotten: make(map[string]struct{})}
				m := newMesh(t, 3, c.edit)
				g := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})[0]
				keys := m.keysOf("g", 1, 5)
				m.net.Partition([]string{hostName(0)})
				awaitMode(t, m.nodes[0], "minority")
				must(t, inMinority(g.Delete(ctx, keys[0])))
				for i := range replaced {
					must(t, g.Close(ctx))
					var err error
					g, err = cachemesh.NewGroup(m.nodes[0], "g", echoLoader, cachemesh.GroupOptions[string]{})
					must(t, err)
					must(t, inMinority(g.Delete(ctx, keys[i+1])))
				}
				must(t, g.Close(ctx))
				m.net.Heal()
				for _, n := range m.nodes {
					awaitMembers(t, ctx, n, 3)
				}
				m.settle(3)
				time.Sleep(5 * time.Second)
				c.mu.Lock()
				defer c.mu.Unlock()
				for _, key := range keys[:replaced+1] {
					if _, ok := c.forgotten[key]; !ok {
						t.Errorf("%q was deleted in the minority, and its owner in the majority was not told", key)
					}
				}
			})
		})
	}
}

// TestGroupCloseBesideTheNode: before Start, and while the node closes, Close returns.
func TestGroupCloseBesideTheNode(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 2)
		idle := m.newNode(2)
		g, err := cachemesh.NewGroup(idle, "g", echoLoader, cachemesh.GroupOptions[string]{})
		must(t, err)
		must(t, g.Close(ctx))
		must(t, idle.Close())
		gate := newGate()
		groups := groupOn(m, "g", gate.load, cachemesh.GroupOptions[string]{})
		waiting := goGet(ctx, groups[0], m.keyOf("g", 0))
		<-gate.entered
		closed := make(chan error, 1)
		go func() { closed <- groups[0].Close(ctx) }()
		synctest.Wait()
		must(t, m.nodes[0].Close())
		if err := <-closed; !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Close of the group: %v, want ErrClosed", err)
		}
		if out := <-waiting; out.err == nil {
			t.Errorf("a load when the node closed: %v", out)
		}
	})
}

// TestGroupCloseGivesMemoryBack: a thousand groups are made, filled, read from another
// member and closed.
func TestGroupCloseGivesMemoryBack(t *testing.T) {
	ctx := testContext(t)
	m := newMesh(t, 2)
	other := groupOn(m, "other", echoLoader, cachemesh.GroupOptions[string]{})
	mustGet(t, other[0], "k", "value of k")
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
	}
	round := func(i int) {
		groups := groupOn(m, "g", func(context.Context, string) ([]byte, error) { return make([]byte, 4<<10), nil },
			cachemesh.GroupOptions[[]byte]{MaxBytes: 4 << 20, MaxLoads: 8, FailureTTL: time.Second, HotReads: 1})
		for _, g := range groups {
			some := keys[:20]
			if i%50 == 0 {
				some = keys // more than it holds
			}
			if _, err := g.GetMany(ctx, some); err != nil {
				t.Fatal(err)
			}
		}
		for _, g := range groups {
			must(t, g.Close(ctx))
		}
	}
	rounds := 1000
	if raceEnabled {
		rounds = 100
	}
	for i := range 100 {
		round(i)
	}
	heap, routines := heapBytes(), runtime.NumGoroutine()
	for i := range rounds {
		round(i)
	}
	grown := heapBytes() - heap
	t.Logf("%d rounds on two members: heap %+d bytes, %+d goroutines", rounds, grown, runtime.NumGoroutine()-routines)
	if grown > 2<<20 || runtime.NumGoroutine() > routines+10 {
		t.Errorf("heap %+d bytes, %+d goroutines", grown, runtime.NumGoroutine()-routines)
	}
	mustGet(t, other[1], "k", "value of k")
}
