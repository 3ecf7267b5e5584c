package replica

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A value comes from who keeps no copies, to an owner that has one with copies: if it is newer it is hidden until it has them,
// and those of the one before go; else it is not held. Another member's is not taken.
func TestValueIsBrought(t *testing.T) {
	tb := set(t, "abc", faultinject.Replicas{})
	a := tb.nodes["a"]
	w, _ := tb.write(a, 5, false, "")
	a.core.Install(w)
	tb.mend(a, ms)
	bring := func(n *node, clock uint64) bool {
		return n.core.Bring(0, &store.Entry{Version: store.Version{Clock: clock}})
	}
	if bring(tb.nodes["b"], 9) || tb.has("b") != 5 {
		t.Error("another member's was taken")
	}
	if !bring(a, 3) || !a.core.Shows(0) || tb.has("a") != 5 || len(a.core.notes) > 0 {
		t.Error("an older one was held")
	}
	if !bring(a, 7) || a.core.Shows(0) {
		t.Error("a newer one is shown before it has its copies")
	}
	if tb.mend(a, ms); !a.core.Shows(0) || tb.has("a") != 7 || tb.has("b") != 7 || len(a.core.notes) > 0 {
		t.Errorf("a has %d, b %d; %s", tb.has("a"), tb.has("b"), a.core.describe())
	}
	for _, n := range tb.nodes {
		n.core.Clear(store.Version{Clock: 20})
	}
	if !bring(a, 11) || !a.core.Shows(0) || tb.has("a") != 0 {
		t.Error("one from before a Clear was held")
	}
}

// It comes beside a write, which has a copy already: the write takes a version above it, and may be applied, for what it was to
// follow is not what was there. It is the value then.
func TestValueIsBroughtBesideAWrite(t *testing.T) {
	tb := set(t, "abc", faultinject.Replicas{})
	a := tb.nodes["a"]
	w, _ := tb.write(a, 5, false, "")
	a.core.Bring(0, &store.Entry{Version: store.Version{Clock: 7}})
	if a.core.Stands(w) {
		t.Fatal("a write stands though something newer has come")
	}
	if _, state := a.core.Next(w, 0); state != Outdone || w.Newest().Clock != 7 {
		t.Fatalf("it is %v, by %v", state, w.Newest())
	}
	w.Renew(&store.Entry{Version: store.Version{Clock: 8}})
	for sends, state := a.core.Next(w, 0); state == Waiting; sends, state = a.core.Next(w, 0) {
		for _, s := range append([]Send(nil), sends...) {
			tb.carry(a, s)
		}
	}
	if a.core.Stands(w) {
		t.Error("it stands though something has come that it did not know")
	}
	a.core.Abandon(w)
	if tb.mend(a, ms); !a.core.Shows(0) || tb.has("a") != 8 || tb.has("b") != 8 || len(a.core.notes) > 0 {
		t.Errorf("a has %d, b %d; %s", tb.has("a"), tb.has("b"), a.core.describe())
	}
}
