package handover_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A replacing is a map that members close and register again, while others join and
// leave and all write it.
type replacing struct {
	m    *kit.Mesh
	stop chan struct{}
	all  sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	groups map[int]*cachemesh.Group[int]
	may    map[string]map[int]bool // what a key may have; 0: nothing
}

// any returns the group of some member.
func (r *replacing) any() *cachemesh.Group[int] {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.groups {
		return g
	}
	return nil
}

func (r *replacing) take(i int) *cachemesh.Group[int] {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.groups[i]
	delete(r.groups, i)
	return g
}

func (r *replacing) register(t *testing.T, i int, n *cachemesh.Node) {
	g, err := cachemesh.NewGroup[int](n, "g", nil, cachemesh.GroupOptions[int]{Replicas: 1})
	kit.Must(t, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups[i] = g
}

// pause waits up to most. It reports false at the end.
func (r *replacing) pause(rng *rand.Rand, most time.Duration) bool {
	select {
	case <-r.stop:
		return false
	case <-time.After(time.Duration(rng.Int64N(int64(most)))):
		return true
	}
}

// write writes and reads keys that nobody else writes.
func (r *replacing) write(t *testing.T, ctx context.Context, rng *rand.Rand, who int) {
	for n := 1; r.pause(rng, 3*time.Millisecond); n++ {
		g, key, v := r.any(), fmt.Sprint("key ", who, " ", rng.IntN(15)), n
		if g == nil {
			continue
		}
		var err error
		switch rng.IntN(4) {
		case 0:
			v, err = 0, g.Delete(ctx, key)
		case 1:
			v, err = 0, g.Delete(ctx, key, key+"'")
		case 2:
			r.check(t, ctx, g, key)
			continue
		default:
			err = g.Set(ctx, key, v, 0)
		}
		r.mu.Lock()
		if err == nil || r.may[key] == nil {
			r.may[key] = map[int]bool{0: r.may[key] == nil && err != nil}
		}
		r.may[key][v] = true
		r.mu.Unlock()
	}
}

func (r *replacing) check(t *testing.T, ctx context.Context, g *cachemesh.Group[int], key string) {
	got, err := g.Get(ctx, key)
	r.mu.Lock()
	defer r.mu.Unlock()
	if errors.Is(err, cachemesh.ErrNotFound) {
		got, err = 0, nil
	}
	if may := r.may[key]; err == nil && !may[got] && (may != nil || got != 0) {
		t.Errorf("%s: %d, it may have %v", key, got, may)
	}
}

// replace closes and registers the group of a member again and again.
func (r *replacing) replace(t *testing.T, ctx context.Context, rng *rand.Rand, i int) {
	for r.pause(rng, 400*time.Millisecond) {
		kit.Must(t, r.take(i).Close(ctx))
		time.Sleep(time.Duration(rng.Int64N(int64(100 * time.Millisecond))))
		r.register(t, i, r.m.Nodes[i])
	}
}

// comeAndGo has members join and leave, with the group and without.
func (r *replacing) comeAndGo(t *testing.T, ctx context.Context, rng *rand.Rand) {
	for i := 3; r.pause(rng, 500*time.Millisecond); i++ {
		n, when := r.m.NewNode(i), rng.IntN(3)
		if when == 0 {
			r.register(t, i, n)
		}
		kit.Must(t, n.Start())
		time.Sleep(time.Duration(rng.Int64N(int64(300 * time.Millisecond))))
		if when == 1 {
			r.register(t, i, n)
		}
		time.Sleep(time.Duration(rng.Int64N(int64(300 * time.Millisecond))))
		r.take(i)
		kit.Must(t, n.Shutdown(ctx))
	}
}

// TestReplacedMapsKeepTheirHistory: no value is lost, and no deleted one comes back.
func TestReplacedMapsKeepTheirHistory(t *testing.T) {
	for seed := range uint64(8) {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			r := &replacing{m: kit.New(t, 3), stop: make(chan struct{}), groups: make(map[int]*cachemesh.Group[int]), may: make(map[string]map[int]bool)}
			source := func(i int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(i))) }
			for i, n := range r.m.Nodes {
				r.register(t, i, n)
				r.all.Go(func() { r.replace(t, ctx, source(i), i) })
			}
			for i := range 4 {
				r.all.Go(func() { r.write(t, ctx, source(10+i), i) })
			}
			r.all.Go(func() { r.comeAndGo(t, ctx, source(20)) })
			time.Sleep(6 * time.Second)
			close(r.stop)
			r.all.Wait()
			for key := range r.may {
				for _, g := range r.groups {
					r.check(t, ctx, g, key)
				}
			}
			for _, n := range r.m.Nodes {
				if s := n.Stats(); s.Parked > 0 || s.ParkedLost > 0 || s.Lost > 0 {
					t.Errorf("seed %d: %d values are parked, %d and %d were lost", seed, s.Parked, s.ParkedLost, s.Lost)
				}
			}
		})
	}
}
