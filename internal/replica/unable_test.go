package replica

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// simulateSizes is simulate where some members cannot hold some values.
func simulateSizes(t testing.TB, seed uint64, f faultinject.Replicas, trace bool) (*world, string) {
	return simulateIn(seed, func(members, copies int) *world {
		w := newSizedWorld(t, seed, members-int(seed/4%2), copies, true, seed/8%2 == 0, f, trace)
		if w.sizing = seed/16%2 == 0; w.sizing {
			w.resizing()
		}
		return w
	})
}

// resizing gives members less room, and more, as when a node has other groups beside this one.
func (w *world) resizing() {
	if !w.sizing {
		return
	}
	n := w.nodes[w.names[w.rnd.IntN(len(w.names))]]
	n.small = !n.small
	w.after(w.rnd.Int64N(20*ms), w.resizing)
}

// TestSimulateSizes: values that some members cannot hold hide no key for good, and what was
// before them does not come back.
func TestSimulateSizes(t *testing.T) {
	var nils, maybes, unheld, here int
	for seed := range uint64(*worlds) {
		w, broke := simulateSizes(t, seed, faultinject.Replicas{}, false)
		if broke != "" {
			simulateSizes(t, seed, faultinject.Replicas{}, true)
			t.Fatalf("seed %d: %s", seed, broke)
		}
		nils, maybes, unheld = nils+w.counts.nils, maybes+w.counts.maybes, unheld+w.counts.unheld
		here += w.counts.unheldHere
	}
	t.Logf("%d worlds, %d writes with nil, %d that may be applied, %d that too few could hold, %d that their owner could not any more", *worlds, nils, maybes, unheld, here)
	if unheld*here == 0 {
		t.Error("no write was refused")
	}
}

// Builds without one of the rules are noticed.
func TestSimulateSizesNotices(t *testing.T) {
	from := map[string]uint64{"what is older is kept": 810, "not held, taken for evicted": 190}
	for name, f := range map[string]faultinject.Replicas{
		"what is older is kept":       {KeepOlder: true},
		"not held, taken for evicted": {EvictUnheld: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := from[name]; seed < uint64(10**worlds); seed++ {
				if _, broke := simulateSizes(t, seed, f, false); broke != "" {
					t.Logf("seed %d: %s", seed, broke)
					return
				}
			}
			t.Error("not noticed")
		})
	}
}

func newWorld(t testing.TB, seed uint64, members, copies int, f faultinject.Replicas, trace bool) *world {
	return newSizedWorld(t, seed, members, copies, false, false, f, trace)
}
