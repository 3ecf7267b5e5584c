package replica

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// A trace is being dropped, and one of its holders is silent: the others are not sent it again, to
// be told to drop it again, for as long as that lasts.
func TestTraceIsDroppedOnce(t *testing.T) {
	w := newWorld(t, 1, 4, 3, faultinject.Replicas{}, false)
	w.run(500 * ms)
	var owner *node
	for _, n := range w.nodes {
		if n.acts(0) {
			owner = n
		}
	}
	owner.begin(0, false)
	w.run(100 * ms)
	owner.begin(0, true)
	for owner.core.notes[0] == nil || !owner.core.notes[0].ending { // until all have the trace
		w.run(ms / 10)
	}
	silent := owner.byID(owner.view.successors(0, 2)[1])
	silent.cut = true
	sent := owner.core.number
	w.run(20 * patience)
	if more := owner.core.number - sent; more > 10 {
		t.Errorf("%d requests more, of a trace that is dropped", more)
	}
	silent.cut = false
	w.run(200 * ms)
	if w.held() > 0 || w.noted() > 0 {
		t.Errorf("%d hold it, %d notes", w.held(), w.noted())
	}
}
