package replica

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// evict has an owner have no room for what it shows.
func (n *node) evict(hash uint64) {
	e := n.Peek(hash)
	if !n.isShown(hash) || e == nil || e.Negative {
		return
	}
	if _, done := n.core.forgotten[hash]; n.core.carries && !done && n.core.notes[hash] == nil {
		n.w.counts.unreached++
	}
	n.w.log("%s evicts %d: %v", n.id, hash, VersionOf(e))
	n.w.counts.evicted++
	h := &n.w.keys[hash]
	if VersionOf(e).After(h.evicted) {
		h.evicted = VersionOf(e)
	}
	n.Delete(hash)
	n.core.Evicted(hash, VersionOf(e))
}

// evictions go on until the end.
func (w *world) evictions() {
	n, all := w.nodes[w.names[w.rnd.IntN(len(w.names))]], w.rnd.IntN(20) == 0 // all: the group is given less room
	for hash, only := uint64(0), w.rnd.Uint64N(keyCount); hash < keyCount; hash++ {
		if all || hash == only {
			n.evict(hash)
		}
	}
	w.after(w.rnd.Int64N(40*ms), w.evictions)
}

// anew closes the group at a member, and registers it there again after a while, or at once: what the member held is gone.
func (w *world) anew(n *node) {
	w.gone++
	w.counts.anew++
	w.log("%s closes the group", n.id)
	n.begins(true)
	after := int64(0)
	if w.rnd.IntN(2) == 0 {
		after = w.rnd.Int64N(100 * ms)
	}
	w.after(after, func() {
		if !n.dead && n.apart {
			w.log("%s registers the group", n.id)
			n.begins(false)
		}
	})
}

// begins has another part of the group begin at a member, which keeps no copies if it is apart, and tells the others.
func (n *node) begins(apart bool) {
	clear(n.held)
	clear(n.writing)
	clear(n.asking)
	n.w.parts++
	n.part, n.apart, n.before = n.w.parts, apart, nil
	n.core = n.newCore()
	v, part := n.view, n.part
	if v == nil {
		return
	}
	n.take(n.viewOf(v), v)
	if n.settled && !n.out() {
		n.core.Own()
	}
	for _, to := range v.members {
		if to != n {
			n.tell(to, v, part)
		}
	}
}

// tell tells another member that the group began anew, until that has heard it.
func (n *node) tell(to *node, v *meshView, part uint32) {
	if n.view != v || n.part != part || n.dead {
		return
	}
	n.w.call(n, to, func() any { to.core.Untold(n.id); return true }, func(_ any, answered bool) {
		if !answered {
			n.tell(to, v, part)
		}
	})
}

// unheard reports whether somebody has not heard yet that a group began anew.
func (w *world) unheard() bool {
	for _, o := range w.target.members {
		if o.apart {
			return true
		}
		for _, m := range w.target.members {
			if o != m && w.anews && o.core.peers[o.core.ids[m.id]].epoch/newPart != m.core.epoch/newPart {
				return true
			}
		}
	}
	return false
}

func simulateAnew(t testing.TB, seed uint64, f faultinject.Replicas, trace, evicts, anew bool) (*world, string) {
	return simulateIn(seed, func(members, copies int) *world {
		w := newWorld(t, seed, members, copies, f, trace)
		w.steps = seed/8%2 == 0
		w.anews, w.evicts, w.conds = anew, evicts, seed/16%2 == 0
		if evicts {
			w.evictions()
		}
		return w
	})
}

func playAnew(t *testing.T, evicts, anew bool) {
	var nils, reads, evicted, times, nothing, conditions, unreached int
	for seed := range uint64(*worlds) {
		w, broke := simulateAnew(t, seed, faultinject.Replicas{}, false, evicts, anew)
		if broke != "" {
			simulateAnew(t, seed, faultinject.Replicas{}, true, evicts, anew)
			t.Fatalf("seed %d: %s", seed, broke)
		}
		nils, reads, evicted, times = nils+w.counts.nils, reads+w.counts.reads, evicted+w.counts.evicted, times+w.counts.anew
		nothing, conditions, unreached = nothing+w.counts.nothing, conditions+w.counts.conditions, unreached+w.counts.unreached
	}
	t.Logf("%d worlds, %d reads, %d writes with nil (%d on a condition), %d Deletes of nothing, %d evicted (%d midway), %d groups anew",
		*worlds, reads, nils, conditions, nothing, evicted, unreached, times)
	if nothing*conditions == 0 || evicts && unreached == 0 {
		t.Error("not all happened that should")
	}
}

// TestSimulateAnew: a group that is closed and registered again is like a member that crashes.
func TestSimulateAnew(t *testing.T) { playAnew(t, false, true) }

// TestSimulateAnewAndEvictions: and what its owner evicts does not come back once the key was written, nor what was before it.
func TestSimulateAnewAndEvictions(t *testing.T) { playAnew(t, true, true) }

// Builds without one of the rules are noticed.
func TestSimulateAnewNotices(t *testing.T) {
	from := map[string]uint64{"dropped before what is older": 2290, "told before it began anew": 300, "a trace of what has gone": 370}
	for name, f := range map[string]faultinject.Replicas{
		"dropped before what is older": {DropFirst: true},
		"told before it began anew":    {Unheard: true},
		"a trace of what has gone":     {TraceOfGone: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := from[name]; seed < uint64(10**worlds); seed++ {
				if _, broke := simulateAnew(t, seed, f, false, f.DropFirst, !f.DropFirst); broke != "" {
					t.Logf("seed %d: %s", seed, broke)
					return
				}
			}
			t.Errorf("not noticed in %d worlds", 10**worlds)
		})
	}
}
