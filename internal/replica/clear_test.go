package replica

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// seenByOne has a Clear noted by all, carried out and seen at the owner of a key, which
// crashes then. It returns what the next owner does wrong.
func seenByOne(t *testing.T, f faultinject.Replicas) string {
	w := newWorld(t, 1, 3, 2, f, false)
	w.run(500 * ms)
	var owner *node
	for _, n := range w.nodes {
		if n.acts(0) {
			owner = n
		}
	}
	owner.begin(0, false)
	w.run(100 * ms)
	if w.counts.nils != 1 {
		t.Fatal("the write did not end")
	}
	version := owner.tick()
	for _, n := range w.nodes {
		n.core.NoteClear(version)
	}
	owner.core.Clear(version)
	w.keys[0].deletes = append(w.keys[0].deletes, version)
	owner.read(0)
	if !w.keys[0].deleted {
		t.Fatal("the Clear is not seen")
	}
	owner.dead = true
	w.change()
	w.run(2 * right)
	reads := w.counts.reads
	for _, n := range w.nodes {
		n.read(0)
	}
	if w.counts.reads == reads {
		t.Fatal("nobody answers")
	}
	return w.broke
}

func TestClearSeenByOne(t *testing.T) {
	if broke := seenByOne(t, faultinject.Replicas{}); broke != "" {
		t.Error(broke)
	}
	if seenByOne(t, faultinject.Replicas{ClearUnnoted: true}) == "" {
		t.Error("not noticed")
	}
}

// clear forgets everything: it learns what everybody has seen, has all of them note the
// Clear, and then carry it out.
func (n *node) clear() {
	w, v := n.w, n.view
	if n.dead || n.cut || v == nil || !n.settled || w.now >= n.right {
		return
	}
	acts := func(m *node) bool { return m.view == v && m.settled && w.now < m.right }
	var version store.Version
	w.everybody(n, v, func(m *node) bool {
		seen := m.tick()
		if seen.After(version) {
			version = seen
		}
		return acts(m)
	}, func() {
		for hash := range w.keys {
			w.keys[hash].deletes = append(w.keys[hash].deletes, version)
		}
		w.log("%s clears up to %v", n.id, version)
		note := func(m *node) bool {
			if acts(m) {
				m.see(version.Clock)
				m.core.NoteClear(version)
			}
			return acts(m)
		}
		w.everybody(n, v, note, func() {
			w.everybody(n, v, func(m *node) bool {
				if acts(m) {
					m.core.Clear(version)
					w.log("%s has cleared up to %v", m.id, version)
				}
				return acts(m)
			}, func() {
				w.counts.clears++
				w.log("%s cleared up to %v", n.id, version)
				for hash := range w.keys {
					w.keys[hash].raise(version, true)
				}
			})
		})
	})
}

// everybody calls f at all members of a view, and then goes on if each said yes.
func (w *world) everybody(n *node, v *meshView, f func(m *node) bool, then func()) {
	left := len(v.members)
	yes := func(a any, _ bool) {
		if ok, _ := a.(bool); ok {
			if left--; left == 0 {
				then()
			}
		}
	}
	for _, m := range v.members {
		if m == n {
			yes(f(m), true)
		} else {
			w.call(n, m, func() any { return f(m) }, yes)
		}
	}
}
