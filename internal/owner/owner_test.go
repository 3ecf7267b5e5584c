package owner_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A row is what a loader reads, so slowly that a write comes in between.
type row struct {
	value   atomic.Int64
	entered chan struct{}
	release chan struct{}
}

func (r *row) load(context.Context, string) (int64, error) {
	v := r.value.Load()
	r.entered <- struct{}{}
	<-r.release
	return v, nil
}

// TestStaleFill starts a load, changes the row, and completes a Set or a Delete
// while the load is under way. Neither now nor later may the old row be seen.
func TestStaleFill(t *testing.T) {
	for _, where := range []string{"local owner", "remote owner"} {
		t.Run(where, func(t *testing.T) {
			m := kit.New(t, 2)
			r := &row{entered: make(chan struct{}), release: make(chan struct{})}
			groups := kit.GroupOn(m, "g", r.load, cachemesh.GroupOptions[int64]{})
			owner := 0
			if where == "remote owner" {
				owner = 1
			}
			const rounds = 1000
			keys := m.KeysOf("g", owner, rounds)
			rng := rand.New(rand.NewPCG(1, 2))
			var shared int
			for i, key := range keys {
				if staleFillRound(t, groups, r, key, int64(i), rng) {
					shared++
				}
			}
			t.Logf("%d rounds, 0 stale answers; in %d the old load ended after the next Get had begun", rounds, shared)
		})
	}
}

func staleFillRound(t *testing.T, groups []*cachemesh.Group[int64], r *row, key string, round int64, rng *rand.Rand) (late bool) {
	ctx := kit.Context(t)
	before, after := 2*round, 2*round+1
	r.value.Store(before)
	old := make(chan int64, 1)
	go func() {
		v, err := groups[rng.IntN(2)].Get(ctx, key)
		if err != nil {
			v = -1
		}
		old <- v
	}()
	<-r.entered
	r.value.Store(after)
	isSet, writer := rng.IntN(2) == 0, groups[rng.IntN(2)]
	if isSet {
		kit.Must(t, writer.Set(ctx, key, after, 0))
	} else {
		kit.Must(t, writer.Delete(ctx, key))
	}
	late = rng.IntN(2) == 0
	if !late {
		r.release <- struct{}{}
		if v := <-old; v != before && v != after {
			t.Fatalf("round %d: the first Get saw %d", round, v)
		}
	}
	// A Get that starts now needs a load of its own after a Delete.
	reader := groups[rng.IntN(2)]
	got := make(chan int64, 1)
	go func() {
		v, err := reader.Get(ctx, key)
		if err != nil {
			v = -1
		}
		got <- v
	}()
	if !isSet {
		<-r.entered
		r.release <- struct{}{} // whichever of the two loads this ends
	}
	if late {
		r.release <- struct{}{}
		if v := <-old; v != before && v != after {
			t.Fatalf("round %d: the first Get saw %d", round, v)
		}
	}
	if v := <-got; v != after {
		t.Fatalf("round %d (set %t, late %t): a Get after the write saw %d, want %d", round, isSet, late, v, after)
	}
	for i, g := range groups {
		if v, err := g.Get(ctx, key); v != after || err != nil {
			t.Fatalf("round %d: later Get on node%d = %d, %v, want %d", round, i, v, err, after)
		}
	}
	return late
}

// TestConcurrentSets checks that the members agree on one value, and that it is
// one that was Set last: no other Set began after its Set had returned.
func TestConcurrentSets(t *testing.T) {
	for what, opts := range map[string]cachemesh.GroupOptions[string]{
		"one copy": {}, "two copies": {Replicas: 2, FewerReplicas: true},
	} {
		t.Run(what, func(t *testing.T) { concurrentSets(t, opts) })
	}
}

func concurrentSets(t *testing.T, opts cachemesh.GroupOptions[string]) {
	m := kit.New(t, 3)
	groups := kit.GroupOn[string](m, "g", nil, opts)
	const sets, keys = 1000, 5
	type interval struct{ start, end time.Duration }
	for k := range keys {
		key, began := fmt.Sprint("key", k), time.Now()
		intervals := make([]interval, sets)
		var all sync.WaitGroup
		for i := range sets {
			all.Go(func() {
				intervals[i].start = time.Since(began)
				if err := groups[i%3].Set(kit.Context(t), key, fmt.Sprint(i), 0); err != nil {
					t.Error(err)
				}
				intervals[i].end = time.Since(began)
			})
		}
		all.Wait()
		last, err := groups[0].Get(kit.Context(t), key)
		kit.Must(t, err)
		for _, g := range groups {
			kit.MustGet(t, g, key, last)
		}
		var won int
		fmt.Sscan(last, &won)
		for i, other := range intervals {
			if other.start > intervals[won].end {
				t.Fatalf("key %q has the value of Set %d, but Set %d began after that had returned", key, won, i)
			}
		}
	}
	t.Logf("%d Sets of each of %d keys from 3 members: one value each, the same everywhere", sets, keys)
}

func TestSetIsVisibleInAFullGroup(t *testing.T) {
	m := kit.New(t, 2)
	const budget = 1 << 20
	groups := kit.GroupOn[[]byte](m, "g", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1, MaxBytes: budget})
	ctx := kit.Context(t)
	value := make([]byte, 512)
	for i := range 10_000 { // several times the budget
		kit.Must(t, groups[0].Set(ctx, fmt.Sprint("hot", i), value, 0))
	}
	for range 5 {
		for i := range 10_000 {
			groups[1].Get(ctx, fmt.Sprint("hot", i))
		}
	}
	visible := 0
	for i := range 1000 {
		key := fmt.Sprint("cold", i)
		kit.Must(t, groups[i%2].Set(ctx, key, value, 0))
		if v, err := groups[(i/2)%2].Get(ctx, key); err == nil && len(v) == len(value) {
			visible++
		}
	}
	if visible != 1000 {
		t.Errorf("%d of 1000 new values were visible at once", visible)
	}
	t.Logf("%d of 1000 visible; members hold %d and %d of %d bytes", visible, groups[0].Stats().Bytes, groups[1].Stats().Bytes, budget)
}
