package meshtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// A guarded Writer notes when it is called for a key for which it runs already,
// in the whole mesh.
type guarded struct {
	Through
	running *sync.Map // of keys
	beside  chan<- string
}

func (g guarded) Store(ctx context.Context, key string, v int) error {
	if _, runs := g.running.LoadOrStore(key, true); runs {
		select {
		case g.beside <- key:
		default:
		}
		return g.Through.Store(ctx, key, v)
	}
	defer g.running.Delete(key)
	return g.Through.Store(ctx, key, v)
}

func (g guarded) Delete(ctx context.Context, key string) error { return g.Store(ctx, key, 0) }

// drainHistory records what clients see who write through slow Writers while
// members leave in order and join, one after the other. beside is a key whose
// Writer ran twice at once, "" if there was none.
func drainHistory(t *testing.T, seed uint64, faults faultinject.Faults) (h *History, beside string, changes int) {
	const members = 4
	m := New(Config{Seed: seed, Members: members, Faults: faults})
	defer m.Close()
	clients := Clients{Seed: seed, Count: 8, Ops: 25, Keys: keys("k", 6), Pause: 100 * time.Millisecond, Timeout: 30 * time.Second, Through: true,
		Origin: NewOrigin(), Excuse: func(err error) bool { return errors.Is(err, cachemesh.ErrClosed) }} // of a member that leaves
	clients.Origin.Delay = randomDelay(rand.New(rand.NewPCG(seed, 3)), 400*time.Millisecond)
	found := make(chan string, 1)
	w := guarded{Through{Origin: clients.Origin}, new(sync.Map), found}
	var mu sync.Mutex // guards groups
	groups := make([]*cachemesh.Group[int], members)
	put := func(i int, g *cachemesh.Group[int]) {
		mu.Lock()
		defer mu.Unlock()
		groups[i] = g
	}
	err := m.Start(func(i int, n *cachemesh.Node) error {
		g, err := cachemesh.NewGroup(n, "g", clients.Origin.Load, cachemesh.GroupOptions[int]{Writer: w, HotReads: 1})
		put(i, g)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h = new(History)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		changes = comeAndGoOf(t, m, members, rand.New(rand.NewPCG(seed, 2)), put, stop)
	}()
	err = clients.Run(h, func(id int) *cachemesh.Group[int] {
		mu.Lock()
		defer mu.Unlock()
		for ; ; id++ {
			if g := groups[id%members]; g != nil {
				return g
			}
		}
	})
	close(stop)
	<-stopped
	if err != nil {
		t.Fatal(err)
	}
	select {
	case beside = <-found:
	default:
	}
	return h, beside, changes
}

// comeAndGoOf takes members away in order and brings them back, until stop is
// closed.
func comeAndGoOf(t *testing.T, m *Mesh, members int, rng *rand.Rand, put func(int, *cachemesh.Group[int]), stop <-chan struct{}) (changes int) {
	for {
		select {
		case <-stop:
			return changes
		default:
		}
		i := rng.IntN(members)
		put(i, nil)
		if err := m.Node(i).Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Duration(rng.IntN(200)) * time.Millisecond)
		if err := m.StartMember(i); err != nil {
			t.Error(err)
		}
		changes += 2
	}
}

// TestOneWriterThroughViewChanges: whatever owner a key gets, its Writer runs once
// at a time, and nobody misses a write that returned.
func TestOneWriterThroughViewChanges(t *testing.T) {
	each := max(20**seeds/200, 1)
	var ops, changes, early int
	for seed := uint64(1); seed <= uint64(each); seed++ {
		synctest.Test(t, func(t *testing.T) {
			h, beside, n := drainHistory(t, seed, faultinject.Faults{})
			ops, changes = ops+len(h.Operations()), changes+n
			if beside != "" {
				t.Errorf("seed %d: two Writers of %q ran at once", seed, beside)
			}
			if r := porcupine.CheckOperationsTimeout(Model(true), h.Operations(), 0); r != porcupine.Ok {
				// A Get of a key that moves loads the row, which a Writer that is under way may
				// have written: then it is seen before everybody sees it. What returned is seen.
				early++
				if _, old := oldReads(h.Operations(), true); old > 0 {
					t.Errorf("seed %d: not linearizable: %v, %d old reads", seed, r, old)
				}
			}
		})
	}
	t.Logf("%d histories of %d operations and %.1f changes of the view; in %d a write was seen early", each, ops/each, float64(changes)/float64(each), early)
}

// TestDrainIsMissed: a mesh whose members do not wait for their Writers when they
// lose keys runs two at once.
func TestDrainIsMissed(t *testing.T) {
	const enough = 20
	for seed := uint64(1); seed <= enough; seed++ {
		caught := ""
		synctest.Test(t, func(t *testing.T) {
			h, beside, _ := drainHistory(t, seed, faultinject.Faults{SkipWriterDrain: true})
			r := porcupine.CheckOperationsTimeout(Model(true), h.Operations(), 0)
			if beside != "" || r == porcupine.Illegal {
				caught = fmt.Sprintf("two Writers of %q at once; the history is linearizable: %v", beside, r)
			}
		})
		if caught != "" {
			t.Logf("caught by seed %d: %s", seed, caught)
			return
		}
	}
	t.Fatalf("%d histories without the wait for Writers showed nothing", enough)
}
