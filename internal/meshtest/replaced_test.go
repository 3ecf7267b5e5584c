package meshtest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

var replacedScenarios = []scenario{
	{name: "map", callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, readsToBeHot: 1},
	{name: "loader", loads: true, callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 20 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{NotFoundTTL: time.Minute}},
	{name: "refreshed", loads: true, clears: true, refreshes: true, callDelay: 10 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 20 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{FinishLoads: true, RefreshAfter: 20 * time.Millisecond, TTL: 100 * time.Millisecond, StaleFor: time.Minute, StaleWait: 15 * time.Millisecond}},
}

// isReplaced reports whether an operation failed because a group is being replaced.
func isReplaced(err error) bool {
	return errors.Is(err, cachemesh.ErrGroupClosed) || errors.Is(err, cachemesh.ErrUnknownGroup)
}

// replacing runs a scenario on three members while their group is closed and registered
// anew: on one member, on each in turn, then on all at once.
func replacing(t *testing.T, sc scenario, seed uint64, faults faultinject.Faults) (h *History, hot uint64) {
	m, clients, first, h := sc.set(t, Config{Seed: seed, Members: 3, Faults: faults})
	defer m.Close()
	clients.Ops, clients.Excuse = 60, isReplaced
	groups := make([]atomic.Pointer[cachemesh.Group[int]], len(first))
	for i, g := range first {
		groups[i].Store(g)
	}
	var hits atomic.Uint64
	replace := func(i int) error {
		old := groups[i].Load() // whoever has it goes on with it
		err := old.Close(t.Context())
		hits.Add(old.Stats().HotHits)
		if err != nil {
			return fmt.Errorf("closing the group of member %d: %w", i, err)
		}
		time.Sleep(time.Duration(seed%7) * 5 * time.Millisecond)
		if err = m.setup(i, m.Node(i)); err == nil {
			groups[i].Store(first[i])
		}
		return err
	}
	replaced := make(chan error, 1)
	go func() {
		var all []error
		for _, which := range [][]int{{0}, {0}, {1}, {2}, {0, 1, 2}} {
			time.Sleep(100 * time.Millisecond)
			errs := make(chan error, len(which))
			for _, i := range which {
				go func() { errs <- replace(i) }()
			}
			for range which {
				all = append(all, <-errs)
			}
		}
		replaced <- errors.Join(all...)
	}()
	if err := clients.Run(h, func(id int) *cachemesh.Group[int] { return groups[id%len(groups)].Load() }); err != nil {
		t.Error(err)
	}
	if err := <-replaced; err != nil {
		t.Error(err)
	}
	return h, hits.Load()
}

// TestReplacedGroups checks histories during which groups are replaced.
func TestReplacedGroups(t *testing.T) {
	for _, sc := range replacedScenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			histories, ops, hotHits := 0, 0, uint64(0)
			underFault(t, 8, func(t *testing.T, seed uint64) {
				h, hot := replacing(t, sc, seed, faultinject.Faults{})
				histories, ops, hotHits = histories+1, ops+len(h.Operations()), hotHits+hot
				if r := porcupine.CheckOperationsTimeout(Model(sc.loads), h.Operations(), 0); r != porcupine.Ok {
					t.Errorf("not linearizable: %v\n%s", r, explain(sc.loads, h.Operations(), time.Second))
				}
			})
			t.Logf("%d histories of %d operations, %d hits of hot copies", histories, ops/histories, hotHits)
			if hotHits == 0 {
				t.Error("no hot copy was ever hit: the histories prove little")
			}
		})
	}
}

// TestReplacedGroupsNoticed: without the recall of copies the checker must find something.
func TestReplacedGroupsNoticed(t *testing.T) {
	caught := uint64(0)
	for seed := uint64(1); seed <= 100 && caught == 0; seed++ {
		synctest.Test(t, func(t *testing.T) {
			h, _ := replacing(t, replacedScenarios[1], seed, faultinject.Faults{SkipInvalidation: true})
			if porcupine.CheckOperationsTimeout(Model(true), h.Operations(), 0) == porcupine.Illegal {
				caught = seed
			}
		})
	}
	if caught == 0 {
		t.Fatal("100 histories were all found linearizable")
	}
	t.Logf("caught by seed %d", caught)
}
