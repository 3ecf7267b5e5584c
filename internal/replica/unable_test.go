package replica

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// simulateSizes is simulate where some members cannot hold some values.
func simulateSizes(t testing.TB, seed uint64, f faultinject.Replicas, trace bool) (*world, string) {
	return simulateIn(seed, func(members, copies int) *world {
		return newSizedWorld(t, seed, members-int(seed/4%2), copies, true, seed/8%2 == 0, f, trace)
	})
}

// TestSimulateSizes: values that some members cannot hold hide no key for good, and what was
// before them does not come back.
func TestSimulateSizes(t *testing.T) {
	var nils, maybes, unheld int
	for seed := range uint64(*worlds) {
		w, broke := simulateSizes(t, seed, faultinject.Replicas{}, false)
		if broke != "" {
			simulateSizes(t, seed, faultinject.Replicas{}, true)
			t.Fatalf("seed %d: %s", seed, broke)
		}
		nils, maybes, unheld = nils+w.counts.nils, maybes+w.counts.maybes, unheld+w.counts.unheld
	}
	t.Logf("%d worlds, %d writes with nil, %d that may be applied, %d that too few could hold", *worlds, nils, maybes, unheld)
	if unheld == 0 {
		t.Error("no write was refused")
	}
}

// Without the rule that older values go first this is noticed.
func TestSimulateSizesNotices(t *testing.T) {
	for seed := range uint64(10 * *worlds) {
		if _, broke := simulateSizes(t, seed, faultinject.Replicas{KeepOlder: true}, false); broke != "" {
			t.Logf("seed %d: %s", seed, broke)
			return
		}
	}
	t.Error("not noticed")
}

func newWorld(t testing.TB, seed uint64, members, copies int, f faultinject.Replicas, trace bool) *world {
	return newSizedWorld(t, seed, members, copies, false, false, f, trace)
}
