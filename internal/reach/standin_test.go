package reach_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// A counted table is an origin that counts its loads.
type counted struct {
	mu    sync.Mutex
	rows  map[string]string
	loads map[string]int
}

func newCounted() *counted {
	return &counted{rows: make(map[string]string), loads: make(map[string]int)}
}

func (tb *counted) Store(_ context.Context, key, v string) error {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.rows[key] = v
	return nil
}

func (tb *counted) load(_ context.Context, key string) (string, error) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.loads[key]++
	if v, ok := tb.rows[key]; ok {
		return v, nil
	}
	return "", cachemesh.ErrNotFound
}

func (tb *counted) loadsOf(key string) int {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.loads[key]
}

// unreachable makes calls to one member fail, while everybody sees everybody.
type unreachable struct {
	addr   atomic.Pointer[string]
	faults faultinject.Faults
}

func (u *unreachable) edit(_ int, o *cachemesh.Options) {
	o.Network = kit.Faulty{Without: u.faults, Tapped: kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
		if down := u.addr.Load(); down != nil && addr == *down {
			return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
		}
		return next.Call(ctx, req, resp)
	}}}
}

func (u *unreachable) set(m *kit.Mesh, node int) {
	addr := m.Nodes[node].Addr()
	u.addr.Store(&addr)
}

// TestStandInAnswersNobodyWhoCameLater: no member reaches the owner, which is alive.
// A stand-in's load begins, a Delete at the owner returns, the load ends: whoever
// asked after the Delete is answered by a later load.
func TestStandInAnswersNobodyWhoCameLater(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		u, gate := new(unreachable), kit.NewGate()
		m := kit.New(t, 3, u.edit)
		groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 1)
		u.set(m, 1)
		before := kit.GoGet(ctx, groups[0], key)
		<-gate.Entered
		kit.Must(t, groups[1].Delete(ctx, key))
		time.Sleep(100 * time.Millisecond)
		after := kit.GoGet(ctx, groups[0], key)
		time.Sleep(100 * time.Millisecond)
		other := kit.GoGet(ctx, groups[2], key)
		time.Sleep(100 * time.Millisecond)
		gate.Release <- "old"
		if out := <-before; out.V != "old" || out.Err != nil {
			t.Errorf("who asked before the load began got %v", out)
		}
		go func() {
			for {
				select {
				case <-gate.Entered:
					gate.Release <- "new"
				case <-ctx.Done():
					return
				}
			}
		}()
		for who, later := range map[string]<-chan kit.Outcome{"the same member": after, "another member": other} {
			if out := <-later; out.V != "new" || out.Err != nil {
				t.Errorf("who asked %s after the Delete got %v", who, out)
			}
		}
		if n := gate.Loads.Load(); n != 2 {
			t.Errorf("%d loads, want 2", n)
		}
	})
}

// TestNobodyReachesTheOwner: the owner is alive, and everybody sees it, but nobody can
// call it. A row changes and is deleted at the owner; then others read it.
func TestNobodyReachesTheOwner(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		t.Run(fmt.Sprintf("a stand-in that keeps values: %t", keeps), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				u, tb := &unreachable{faults: faultinject.Faults{KeepStandIn: keeps}}, newCounted()
				m := kit.New(t, 3, u.edit, func(_ int, o *cachemesh.Options) { o.Right = 10 * time.Second }) // the owner acts to the end
				groups := kit.GroupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{HotReads: 1})
				key := m.KeyOf("g", cutOwner)
				u.set(m, cutOwner)
				old := 0
				for i := range 20 {
					want := fmt.Sprint("row ", i)
					tb.Store(ctx, key, want)
					kit.Must(t, groups[cutOwner].Delete(ctx, key))
					for _, g := range groups {
						if got, err := g.Get(ctx, key); err != nil {
							t.Fatal(err)
						} else if got != want {
							old++
						}
					}
					time.Sleep(10 * time.Millisecond)
				}
				if (old > 0) != keeps {
					t.Errorf("%d of 150 Gets old", old)
				}
			})
		})
	}
}

// TestFirstSuccessorStandsIn: whoever asks, the origin sees the loads of one member, the
// next on the ring.
func TestFirstSuccessorStandsIn(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		u := new(unreachable)
		m := kit.New(t, 5, u.edit)
		var mu sync.Mutex
		loaded := make(map[int]int)
		groups := kit.GroupOnEach(m, "g", func(node int) cachemesh.LoaderFunc[string] {
			return func(context.Context, string) (string, error) {
				mu.Lock()
				defer mu.Unlock()
				loaded[node]++
				return "v", nil
			}
		}, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", cutOwner)
		var names []string
		for _, n := range m.Nodes {
			names = append(names, n.Name())
		}
		r := ring.New(names)
		next := r.Members()[r.Successors(nil, ring.Hash(ring.Seed("g"), key), 2)[1]]
		u.set(m, cutOwner)
		for i, g := range groups {
			if i != cutOwner {
				kit.MustGet(t, g, key, "v")
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if len(loaded) != 1 || loaded[slices.Index(names, next)] == 0 {
			t.Errorf("loads by member %v, want all by %s", loaded, next)
		}
	})
}

// TestStandInSpacesLoads: however many ask, a key whose owner cannot be reached is
// loaded at most every 100 ms.
func TestStandInSpacesLoads(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		u, tb := new(unreachable), newCounted()
		m := kit.New(t, 4, u.edit)
		groups := kit.GroupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 1)
		tb.Store(ctx, key, "v")
		u.set(m, 1)
		const span = time.Second
		start := time.Now()
		var gets, slowest atomic.Int64
		var readers sync.WaitGroup
		for r := range 12 {
			readers.Go(func() {
				for time.Since(start) < span {
					began := time.Now()
					if v, err := groups[[]int{0, 2, 3}[r%3]].Get(ctx, key); v != "v" || err != nil {
						t.Errorf("Get = %q, %v", v, err)
					}
					gets.Add(1)
					if took := int64(time.Since(began)); took > slowest.Load() {
						slowest.Store(took)
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		readers.Wait()
		most := int(time.Since(start)/(100*time.Millisecond)) + 1
		if n := tb.loadsOf(key); n > most || n < most/2 {
			t.Errorf("%d loads in %v for %d Gets, want about %d", n, time.Since(start), gets.Load(), most)
		}
		if time.Duration(slowest.Load()) > 200*time.Millisecond {
			t.Errorf("a Get took %v", time.Duration(slowest.Load()))
		}
	})
}
