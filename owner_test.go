package cachemesh_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
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
			m := newMesh(t, 2)
			r := &row{entered: make(chan struct{}), release: make(chan struct{})}
			groups := groupOn(m, "g", r.load, cachemesh.GroupOptions[int64]{})
			owner := 0
			if where == "remote owner" {
				owner = 1
			}
			const rounds = 1000
			keys := m.keysOf("g", owner, rounds)
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
	ctx := testContext(t)
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
		must(t, writer.Set(ctx, key, after, 0))
	} else {
		must(t, writer.Delete(ctx, key))
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
	m := newMesh(t, 3)
	groups := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
	const sets, keys = 1000, 5
	type interval struct{ start, end time.Duration }
	for k := range keys {
		key, began := fmt.Sprint("key", k), time.Now()
		intervals := make([]interval, sets)
		var all sync.WaitGroup
		for i := range sets {
			all.Go(func() {
				intervals[i].start = time.Since(began)
				if err := groups[i%3].Set(testContext(t), key, fmt.Sprint(i), 0); err != nil {
					t.Error(err)
				}
				intervals[i].end = time.Since(began)
			})
		}
		all.Wait()
		last, err := groups[0].Get(testContext(t), key)
		must(t, err)
		for _, g := range groups {
			mustGet(t, g, key, last)
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
	m := newMesh(t, 2)
	const budget = 1 << 20
	groups := groupOn[[]byte](m, "g", nil, cachemesh.GroupOptions[[]byte]{MaxBytes: budget})
	ctx := testContext(t)
	value := make([]byte, 512)
	for i := range 10_000 { // several times the budget
		must(t, groups[0].Set(ctx, fmt.Sprint("hot", i), value, 0))
	}
	for range 5 {
		for i := range 10_000 {
			groups[1].Get(ctx, fmt.Sprint("hot", i))
		}
	}
	visible := 0
	for i := range 1000 {
		key := fmt.Sprint("cold", i)
		must(t, groups[i%2].Set(ctx, key, value, 0))
		if v, err := groups[(i/2)%2].Get(ctx, key); err == nil && len(v) == len(value) {
			visible++
		}
	}
	if visible != 1000 {
		t.Errorf("%d of 1000 new values were visible at once", visible)
	}
	t.Logf("%d of 1000 visible; members hold %d and %d of %d bytes", visible, groups[0].Stats().Bytes, groups[1].Stats().Bytes, budget)
}
