package replica

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// written returns a mesh in which a key was written, and its owner.
func written(t *testing.T, members int) (*world, *node) {
	w := newWorld(t, 1, members, 2, faultinject.Replicas{}, false)
	w.run(500 * ms)
	for _, n := range w.nodes {
		if n.acts(0) {
			n.begin(0, false)
			w.run(100 * ms)
			if w.counts.nils != 1 || w.held() != 2 {
				t.Fatalf("%d writes with nil, %d copies", w.counts.nils, w.held())
			}
			return w, n
		}
	}
	t.Fatal("nobody acts")
	return nil, nil
}

// held counts those that hold something of key 0.
func (w *world) held() (have int) {
	for _, n := range w.nodes {
		if n.Peek(0) != nil {
			have++
		}
	}
	return have
}

func (w *world) noted() (notes int) {
	for _, n := range w.nodes {
		notes += n.core.Stats().Noted
	}
	return notes
}

// What its owner evicted is dropped by all that have a copy.
func TestEvicted(t *testing.T) {
	w, owner := written(t, 3)
	version := VersionOf(owner.Peek(0))
	owner.Delete(0)
	owner.core.Evicted(0, version)
	w.run(200 * ms)
	if w.held() > 0 || w.noted() > 0 {
		t.Errorf("%d hold it, %d notes", w.held(), w.noted())
	}
}

// A holder that evicted its copy says nothing; the owner's is shown as before.
func TestHolderEvicted(t *testing.T) {
	w, owner := written(t, 3)
	for _, n := range w.nodes {
		if e := n.Peek(0); e != nil && n != owner {
			n.Delete(0)
			n.core.Evicted(0, VersionOf(e))
			if n.core.Stats() != (Stats{Evicted: 1}) {
				t.Errorf("%+v", n.core.Stats())
			}
		}
	}
	w.run(200 * ms)
	if !owner.acts(0) || owner.Peek(0) == nil {
		t.Error("the owner does not show it any more")
	}
}

// While a member is missing traces stay, but not for ever.
func TestTraceEnds(t *testing.T) {
	w, owner := written(t, 5)
	for _, n := range w.nodes {
		if n.Peek(0) == nil {
			n.cut, n.cutAt = true, w.now
			break
		}
	}
	w.change()
	w.run(4 * right)
	owner.begin(0, true)
	w.run(right)
	if w.held() != 2 {
		t.Fatalf("%d traces", w.held())
	}
	w.run(traceFor)
	if w.held() > 0 || w.noted() > 0 {
		t.Errorf("%d hold it, %d notes", w.held(), w.noted())
	}
}

// What was evicted is dropped by all that have a copy, though a write was begun meanwhile, or before,
// that came to nothing.
func TestEvictedBesideAWriteThatComesToNothing(t *testing.T) {
	for _, before := range []bool{false, true} {
		w, owner := written(t, 3)
		evict := func() {
			version := VersionOf(owner.Peek(0))
			owner.Delete(0)
			owner.core.Evicted(0, version)
		}
		if !before {
			evict()
		}
		write, err := owner.core.Begin(0, owner.entry(1, false))
		if err != nil {
			t.Fatal(err)
		}
		if before {
			evict()
		}
		owner.core.Abandon(write)
		if owner.core.Nothing(0) {
			t.Errorf("begun before %v: nobody has anything, the owner says", before)
		}
		w.run(200 * ms)
		if w.held() > 0 || w.noted() > 0 {
			t.Errorf("begun before %v: %d hold it, %d notes", before, w.held(), w.noted())
		}
	}
}
