package meshtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/praveenduddu/cachemesh"
)

// changingHistory records what clients see while members leave in order and join,
// one after the other, as fast as they can. Clients use those too that come and go. In every other
// history there are so many members that more may hold a copy than an owner notes in one place.
func changingHistory(t *testing.T, sc scenario, seed uint64) (h *History, changes int) {
	members := 5 + 3*int(seed%2)
	s := stage(t, seed, members)
	s.Net.SetLatency(0, sc.linkDelay)
	s.Calls.SetDelay(0, sc.callDelay)
	rng := rand.New(rand.NewPCG(seed, 1))
	h = new(History)
	clients := Clients{Seed: seed, Count: 10, Ops: 40, Keys: []string{"hot", "cold", "warm"}, Pause: 40 * time.Millisecond, Timeout: 30 * time.Second,
		Excuse: func(err error) bool { return errors.Is(err, cachemesh.ErrClosed) }} // of a member that leaves
	group := s.Values
	if sc.loads {
		group = s.Rows
		clients.Origin = s.Origin
		s.Origin.Loads = h
		s.Origin.Delay = randomDelay(rng, sc.loadDelay)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		changes = comeAndGo(t, s, members, rand.New(rand.NewPCG(seed, 2)), stop)
	}()
	err := clients.Run(h, func(id int) *cachemesh.Group[int] {
		for ; ; id++ {
			if g := group(id % members); g != nil {
				return g
			}
		}
	})
	close(stop)
	<-stopped
	if err != nil {
		t.Fatal(err)
	}
	return h, changes
}

// comeAndGo takes members away and brings them back, until stop is closed.
func comeAndGo(t *testing.T, s *Stage, members int, rng *rand.Rand, stop <-chan struct{}) (changes int) {
	for {
		select {
		case <-stop:
			return changes
		default:
		}
		i := rng.IntN(members)
		if err := s.Leave(t.Context(), i); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Duration(rng.IntN(200)) * time.Millisecond)
		if err := s.Join(i); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Duration(rng.IntN(200)) * time.Millisecond)
		changes += 2
	}
}

var changeSeeds = 40 // of a map and of a loader; -seeds changes them in proportion

// TestLinearizableThroughViewChanges checks histories that members join and leave
// in: fences put the owners of a key in order.
func TestLinearizableThroughViewChanges(t *testing.T) {
	for _, sc := range []scenario{scenarios[1], scenarios[3]} {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			var ops, changes int
			run := func(seed uint64) {
				t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						h, n := changingHistory(t, sc, seed)
						ops, changes = ops+len(h.Operations()), changes+n
						if r := porcupine.CheckOperationsTimeout(Model(sc.loads), h.Operations(), 0); r != porcupine.Ok {
							t.Errorf("not linearizable: %v; replay with -seed %d -run '%s'", r, seed, t.Name())
						}
					})
				})
			}
			if *oneSeed != 0 {
				run(*oneSeed)
				return
			}
			each := max(changeSeeds**seeds/200, 1)
			for seed := range uint64(each) {
				run(seed + 1)
			}
			t.Logf("%d histories of %d operations and %.1f changes of the view", each, ops/each, float64(changes)/float64(each))
		})
	}
}
