package meshtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// A misfortune befalls one member of a mesh with copies. What follows makes the mesh whole again.
type misfortune struct {
	name string
	hit  func(s *Stage, i int, rng *rand.Rand) error
}

var misfortunes = []misfortune{
	{"crash, and back at once", func(s *Stage, i int, rng *rand.Rand) error {
		s.Crash(i)
		time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
		return s.Join(i)
	}},
	{"crash, and back later", func(s *Stage, i int, rng *rand.Rand) error {
		s.Crash(i)
		time.Sleep(time.Duration(4000+rng.IntN(3000)) * time.Millisecond)
		return s.Join(i)
	}},
	{"cut off", func(s *Stage, i int, rng *rand.Rand) error {
		s.setDown(i, true) // alone it would see its own
		s.Net.Partition([]string{HostName(i)})
		time.Sleep(time.Duration(500+rng.IntN(9000)) * time.Millisecond)
		s.Net.Heal()
		return s.comeBack(i)
	}},
	{"paused", func(s *Stage, i int, rng *rand.Rand) error {
		s.setDown(i, true)
		s.Net.Pause(HostName(i))
		time.Sleep(time.Duration(500+rng.IntN(7000)) * time.Millisecond)
		s.Net.Resume(HostName(i))
		return s.comeBack(i)
	}},
	{"leave and join", func(s *Stage, i int, rng *rand.Rand) error {
		s.setDown(i, true)
		ctx, cancel := timeout(20 * time.Second)
		defer cancel()
		if err := s.Leave(ctx, i); err != nil {
			return err
		}
		time.Sleep(time.Duration(rng.IntN(2000)) * time.Millisecond)
		return s.Join(i)
	}},
	{"link cut", func(s *Stage, i int, rng *rand.Rand) error {
		j := (i + 1 + rng.IntN(len(s.nodes)-1)) % len(s.nodes)
		s.CutLink(i, j)
		time.Sleep(time.Duration(500+rng.IntN(3000)) * time.Millisecond)
		s.Net.Heal()
		return nil
	}},
}

// comeBack waits until all members are together again before clients use this one.
func (s *Stage) comeBack(i int) error {
	ctx, cancel := timeout(time.Minute)
	defer cancel()
	err := s.Settle(ctx, 0, 1, 2, 3)
	s.setDown(i, false)
	return err
}

// keeping records what clients see of values that have copies while one member after the
// other is struck, each when all values have their copies again.
func keeping(t *testing.T, seed uint64, faults faultinject.Faults) *History {
	rng := rand.New(rand.NewPCG(seed, 5))
	s, err := NewStage(t.Context(), Config{Seed: seed, Members: 4, Replicas: 2, HotReads: 1 + 2*int(seed%2), Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Net.SetLatency(0, time.Duration(rng.IntN(5))*time.Millisecond)
	s.Calls.SetDelay(0, time.Duration(1+rng.IntN(20))*time.Millisecond)
	h, stop := new(History), make(chan struct{})
	var failed atomic.Int64
	clients := Clients{Seed: seed, Count: 6, Ops: 1 << 20, Keys: []string{"a", "b", "c", "d"}, Pause: 250 * time.Millisecond, Timeout: 10 * time.Second,
		Conditions: seed%3 == 0, Clears: seed%4 == 1, Peeks: false, Stop: stop, Excuse: func(error) bool { failed.Add(1); return true }}
	done := make(chan error, 1)
	go func() { done <- clients.Run(h, func(id int) *cachemesh.Group[int] { return s.Values(id % 4) }) }()
	time.Sleep(time.Second)
	for range 3 {
		b := misfortunes[rng.IntN(len(misfortunes))]
		i := rng.IntN(4)
		if err := b.hit(s, i, rng); err != nil {
			t.Errorf("%s, member %d: %v", b.name, i, err)
		}
		if err := s.Settle(t.Context(), 0, 1, 2, 3); err != nil {
			t.Errorf("after %s, member %d: %v", b.name, i, err)
			break
		}
		s.whole(t)
	}
	time.Sleep(500 * time.Millisecond)
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
	return h
}

// checkKept bounds the check of one history.
const checkKept = 20 * time.Second

// Histories of a group with copies are those of a map that forgets nothing, whichever member is struck.
func TestReplicasHistories(t *testing.T) {
	var ops, unsure int
	run := func(seed uint64) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := keeping(t, seed, faultinject.Faults{})
				ops += len(h.Operations())
				switch porcupine.CheckOperationsTimeout(ModelOf(Rules{Keeps: true}), h.Operations(), checkKept) {
				case porcupine.Illegal:
					t.Errorf("not linearizable: replay with -seed %d\n%s", seed, explainBy(ModelOf(Rules{Keeps: true}), h.Operations(), checkKept))
				case porcupine.Unknown:
					unsure++
				}
			})
		})
	}
	if *oneSeed != 0 {
		run(*oneSeed)
		return
	}
	each := max(*seeds/20, 1)
	for seed := range uint64(each) {
		run(seed + 1)
	}
	t.Logf("%d histories, %d operations, %d that could not be decided", each, ops, unsure)
}

func timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
