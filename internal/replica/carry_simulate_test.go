package replica

import (
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// carry goes through all keys since the view has changed: at once, or one after the other.
func (n *node) carry(v *meshView) {
	switch {
	case !n.w.steps:
		for n.core.Carry(1) {
		}
	case n.core.Carry(0):
		n.w.after(n.w.rnd.Int64N(100*ms), func() {
			if !n.dead && n.view == v {
				n.core.Carry(1)
				n.carry(v)
			}
		})
	}
}

// take adopts a view, and counts those that come before all was carried over into the one before.
func (n *node) take(cv View, v *meshView) {
	if n.core.carries {
		n.w.counts.midway++
	}
	n.core.Adopt(cv)
	n.carry(v)
}

// simulateSteps is simulate where keys are carried over one at a time.
func simulateSteps(t testing.TB, seed uint64, f faultinject.Replicas, trace bool) (*world, string) {
	return simulateIn(seed, func(members, copies int) *world {
		w := newWorld(t, seed, members, copies, f, trace)
		w.steps, w.conds = true, seed/2%2 == 0
		return w
	})
}

// TestSimulateSteps: nothing is lost, and nothing goes back, while views change faster than keys are carried over.
func TestSimulateSteps(t *testing.T) {
	var nils, reads, hidden, midway int
	for seed := range uint64(*worlds) {
		w, broke := simulateSteps(t, seed, faultinject.Replicas{}, false)
		if broke != "" {
			simulateSteps(t, seed, faultinject.Replicas{}, true)
			t.Fatalf("seed %d: %s", seed, broke)
		}
		nils, reads, hidden, midway = nils+w.counts.nils, reads+w.counts.reads, hidden+w.counts.hidden, midway+w.counts.midway
	}
	t.Logf("%d worlds, %d reads (%d more had to wait), %d writes with nil, %d views that came midway", *worlds, reads, hidden, nils, midway)
	if midway == 0 {
		t.Error("no view came while keys were carried over")
	}
}

// Builds without one of the rules are noticed.
func TestSimulateStepsNotices(t *testing.T) {
	for name, f := range map[string]faultinject.Replicas{
		"asked for and passed by": {PassBy: true},
		"carried over twice":      {CarryTwice: true},
	} {
		t.Run(name, func(t *testing.T) {
			found := 0
			for seed := from[name]; seed < uint64(10**worlds); seed++ {
				_, broke := simulateSteps(t, seed, f, false)
				if broke == "" || strings.HasPrefix(broke, "it does not come to rest") {
					continue
				}
				if found++; found == 1 {
					t.Logf("seed %d: %s", seed, broke)
				}
				if !*all {
					return
				}
			}
			if found == 0 {
				t.Fatalf("not noticed in %d worlds", 10**worlds)
			}
			t.Logf("%d of %d worlds", found, 10**worlds)
		})
	}
}
