package replica

import (
	"flag"
	"fmt"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

var worlds = flag.Int("worlds", 300, "random worlds that TestSimulate plays")

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// simulate plays one random schedule and returns what was violated.
func simulate(t testing.TB, seed uint64, f faultinject.Replicas, trace bool) (*world, string) {
	return simulateIn(seed, func(members, copies int) *world { return newWorld(t, seed, members, copies, f, trace) })
}

// simulateIn is simulate in a world that is made of so many members with so many copies.
func simulateIn(seed uint64, make func(members, copies int) *world) (*world, string) {
	copies := 2 + int(seed%2)
	w := make(2*copies-1+int(seed/2%2), copies)
	for range 1 + w.rnd.IntN(3) {
		w.slowLink()
	}
	w.clients()
	for range 12 {
		w.run(int64(w.rnd.IntN(600)) * ms)
		if w.broke != "" {
			return w, w.broke
		}
		w.strike()
	}
	w.heal()
	for range 60 {
		w.run(100 * ms)
		if w.broke != "" {
			return w, w.broke
		}
		if w.quiet() {
			return w, ""
		}
	}
	return w, "it does not come to rest: " + w.unrest()
}

// slowLink makes a link slow, one way or both.
func (w *world) slowLink() {
	a, b := w.names[w.rnd.IntN(len(w.names))], w.names[w.rnd.IntN(len(w.names))]
	d := (10 + w.rnd.Int64N(200)) * ms
	w.slow[[2]string{a, b}] = d
	if w.rnd.IntN(2) == 0 {
		w.slow[[2]string{b, a}] = d
	}
}

// clients read and write until the end.
func (w *world) clients() {
	n := w.nodes[w.names[w.rnd.IntN(len(w.names))]]
	hash := w.rnd.Uint64N(keyCount)
	switch x := w.rnd.IntN(100); {
	case x < 70:
		n.read(hash)
	case x < 85:
		n.begin(hash, false)
	case x < 99:
		n.begin(hash, true)
	case w.rnd.IntN(4) == 0:
		n.clear()
	}
	w.after(w.rnd.Int64N(3*ms), w.clients)
}

// strike does something to the mesh: no more members are gone at once than copies less one.
func (w *world) strike() {
	n := w.nodes[w.names[w.rnd.IntN(len(w.names))]]
	may := w.gone < w.copies-1 && len(w.target.staying) >= w.copies
	switch x := w.rnd.IntN(12); {
	case n.dead:
		w.log("%s starts anew", n.name)
		w.start(n.name)
		w.change()
	case n.cut:
		w.log("%s returns", n.id)
		n.cut = false
		w.change()
	case x < 3 && may:
		w.log("%s crashes", n.id)
		w.gone++
		n.dead = true
		w.after(detection, func() { w.change() })
	case x < 4 && may: // and is back before anybody noticed
		w.log("%s crashes and is back", n.id)
		w.gone++
		n.dead = true
		w.start(n.name)
		w.change()
	case w.anews && may && !n.apart && x < 7:
		w.anew(n)
	case x < 7 && may && !w.evicts: // who returns may have something older than what was evicted
		w.log("%s is cut off", n.id)
		w.gone++
		n.cut, n.cutAt = true, w.now
		w.after(detection, func() { w.change() })
	case x < 8:
		w.change() // the same members
	case x < 9:
		w.log("%s is leaving", n.id)
		w.change(n)
	case x < 10:
		clear(w.slow)
	default:
		w.slowLink()
	}
}

// heal ends all faults.
func (w *world) heal() {
	w.log("healing")
	clear(w.slow)
	w.sizing = false
	for _, name := range w.names {
		n := w.nodes[name]
		n.cut = false
		if n.dead {
			w.start(name)
		}
	}
	w.change()
}

// quiet reports whether every key has as many copies as it should, and nothing else is left.
func (w *world) quiet() bool { return w.unrest() == "" }

func (w *world) unrest() string {
	if !w.whole() {
		return "not whole"
	}
	for hash := range uint64(keyCount) {
		versions := make(map[store.Version]int)
		for _, name := range w.names {
			n := w.nodes[name]
			if len(n.writing) > 0 {
				return n.id + " writes"
			}
			if what := n.core.miscounted(); what != "" {
				return what
			}
			if what := n.core.unsettled(); what != "" {
				return what
			}
			if e := n.Peek(hash); e != nil {
				versions[VersionOf(e)]++
				if e.Negative {
					return "a trace is left"
				}
			}
		}
		if len(versions) > 1 {
			return fmt.Sprintf("key %d has %v", hash, versions)
		}
		for v, have := range versions {
			if have != w.copies && !w.sizes {
				return fmt.Sprintf("key %d has %d copies of %v", hash, have, v)
			}
		}
	}
	return ""
}

// unsettled says which note there should not be. Of a value that some cannot hold there is one.
func (c *Core) unsettled() string {
	for _, n := range c.notes {
		if len(n.unable) == 0 || n.hidden || len(n.may) > 0 || !equal(n.has, c.best(n)) {
			return fmt.Sprintf("%s has notes: %s", c.cfg.Self, c.describe())
		}
	}
	return ""
}

// miscounted says what Stats has that is not so.
func (c *Core) miscounted() string {
	var want Stats
	for _, n := range c.notes {
		if n.hidden {
			want.Hidden++
		}
		if !n.ending && (c.count(n) < c.need(n.unable) || c.mayGoBack(n)) {
			want.Lacking++
		}
	}
	if got := c.Stats(); got.Hidden != want.Hidden || got.Lacking != want.Lacking {
		return fmt.Sprintf("%s counts %+v, want %+v", c.cfg.Self, got, want)
	}
	return ""
}

func (c *Core) describe() (s string) {
	for hash, n := range c.notes {
		s += fmt.Sprintf("%d: %+v; ", hash, *n)
	}
	return s
}

func TestSimulate(t *testing.T) {
	var nils, reads, maybes, views, hidden, clears int
	for seed := range uint64(*worlds) {
		w, broke := simulate(t, seed, faultinject.Replicas{}, false)
		if broke != "" {
			simulate(t, seed, faultinject.Replicas{}, true)
			t.Fatalf("seed %d: %s", seed, broke)
		}
		nils, reads, maybes = nils+w.counts.nils, reads+w.counts.reads, maybes+w.counts.maybes
		views, hidden, clears = views+w.counts.views, hidden+w.counts.hidden, clears+w.counts.clears
	}
	t.Logf("%d worlds, %d views, %d reads (%d more had to wait), %d writes with nil, %d that may be applied, %d clears",
		*worlds, views, reads, hidden, nils, maybes, clears)
}
