package quorum

import (
	"strings"
	"testing"
)

func writes(t testing.TB, w *world, name string, want bool) {
	t.Helper()
	if got := w.all[name].write(); got != want {
		t.Errorf("a write at %s returned nil: %v, want %v", name, got, want)
	}
	if w.broke != "" {
		t.Error(w.broke)
	}
}

func TestAMeshGrows(t *testing.T) {
	w := newWorld(t, "0", "1", "2")
	w.settle("0")
	w.mode(Settled, "0")
	writes(t, w, "0", true)
	w.settle("0 1 2")
	w.mode(Settled, "0 1 2")
	writes(t, w, "0", true)
}

func TestOneCrashStopsNobody(t *testing.T) {
	w := newWorld(t, "0", "1", "2")
	w.settle("0 1 2")
	w.all["0"].read()
	w.all["2"].dead = true
	w.settle("0 1")
	w.mode(Settled, "0 1")
	if !w.all["0"].held || !w.all["0"].has {
		t.Error("the owner, which did not change, dropped what it holds")
	}
	writes(t, w, "0", true)
}

// Writes of a crashed member's keys wait until its right has ended.
func TestHeirWaits(t *testing.T) {
	w := newWorld(t, "0", "1", "2")
	w.settle("0 1 2")
	w.talk("0 1 2")
	w.settle("1 2")
	w.mode(Settled, "1 2")
	writes(t, w, "1", false)
	writes(t, w, "0", true) // it lives on beyond the cut
	w.pass(right + right/32)
	w.talk("1 2")
	writes(t, w, "0", false)
	writes(t, w, "1", true)
}

func TestNewcomersOutvote(t *testing.T) { newcomersOutvote(t, rules{}) }

func newcomersOutvote(t testing.TB, r rules) {
	w := newWorldOf(t, r, "0", "1", "2", "3", "4")
	w.settle("0 1")
	w.talk("0 1")
	w.adopt("0 1 2 3 4", "")
	for _, to := range strings.Fields("0 1 3 4") {
		w.ask("2", to)
	}
	for range 3 {
		for _, to := range strings.Fields("0 1 3 4") {
			w.ask("2", to)
		}
	}
	w.mode(Settled, "2") // 2 alone
	w.settle("2 3 4")
	w.mode(Settled, "2 3 4")
	writes(t, w, "2", false) // before 0's right is over
	writes(t, w, "0", true)
	w.pass(2 * second) // longer than copies live
	w.talk("2 3 4")
	writes(t, w, "2", false)
	writes(t, w, "0", true)
	w.pass(right + right/32)
	w.talk("2 3 4")
	writes(t, w, "2", true)
}

// Nobody that is left has left the returning member out of a view.
func TestUnknownReturner(t *testing.T) { unknownReturner(t, rules{}) }

func unknownReturner(t testing.TB, r rules) {
	w := newWorldOf(t, r, "0", "1", "2", "3", "4")
	w.settle("0 1 2")
	w.all["0"].read()
	w.settle("1 2 3")
	w.settle("2 3 4")
	w.settle("3 4")
	w.all["1"].dead, w.all["2"].dead = true, true
	w.pass(2 * right)
	w.talk("3 4")
	w.mode(Settled, "3 4")
	writes(t, w, "3", true)
	w.adopt("0 3 4", "")
	w.talk("0 3 4")
	w.mode(Settled, "0 3 4")
	w.all["0"].read()
	w.mode(Settled, "0")
}

func TestBetweenTwo(t *testing.T) { betweenTwo(t, rules{}) }

func betweenTwo(t testing.TB, r rules) {
	w := newWorldOf(t, r, "0", "1", "2", "3", "4")
	w.settle("0 1 2 3 4")
	w.adopt("0 2 4", "") // 0 settles, 4 goes on to 1 and 3
	for range 4 {
		w.ask("0", "2")
		w.ask("0", "4")
	}
	w.mode(Settled, "0")
	w.settle("1 3 4")
	w.mode(Minority, "1 3 4")
	w.all["0"].dead, w.all["2"].dead = true, true
	w.pass(10 * right)
	w.mode(Minority, "1 3 4")
	if waits := w.all["4"].core.WaitsFor(w.now); len(waits) != 2 {
		t.Errorf("4 waits for %v", waits)
	}
	w.start("0", false)
	w.settle("0 1 3 4")
	w.mode(Minority, "0 1 3 4")
	w.start("2", false)
	w.settle("0 1 2 3 4")
	w.mode(Settled, "0 1 2 3 4")
}

func TestShrink(t *testing.T) {
	w := newWorld(t, "0", "1", "2", "3", "4")
	w.settle("0 1 2 3 4")
	w.settle("0 1 2")
	w.settle("0 1")
	w.mode(Settled, "0 1")
	w.settle("0")
	w.settle("1")
	w.pass(2 * right)
	w.mode(HalfOfTwo, "0 1")
	writes(t, w, "0", true)
	writes(t, w, "1", true)
	w.all["0"].has, w.all["1"].has = true, true
	w.settle("0 1")
	w.mode(Settled, "0 1")
	if w.all["0"].has || w.all["1"].has {
		t.Error("what was held before they met is still held")
	}
}

func TestTwoAndTwo(t *testing.T) {
	w := newWorld(t, "0", "1", "2", "3")
	w.settle("0 1 2 3")
	w.settle("0 1")
	w.settle("2 3")
	w.mode(Settled, "2 3")
	w.mode(Minority, "0 1")
	w.pass(2 * right)
	w.talk("2 3")
	writes(t, w, "2", true)
	writes(t, w, "0", false)
	w.all["2"].dead = true
	w.settle("3")
	w.pass(2 * right)
	w.mode(HalfOfTwo, "3")
}

// A right must come from the settled primary: 2 never voted for the first view.
func TestRightBeforeSettling(t *testing.T) { rightBeforeSettling(t, rules{}) }

func rightBeforeSettling(t testing.TB, r rules) {
	w := newWorldOf(t, r, "0", "1", "2", "3")
	w.settle("0 1 2 3")
	w.pass(2 * right)
	w.adopt("0 1 2", "0 1")
	for range 4 {
		w.ask("0", "1")
	}
	if w.all["0"].acts() {
		t.Error("0 acts by a view that did not settle")
	}
	w.settle("2 3")
	w.mode(Settled, "2 3")
}

func TestDeadVoters(t *testing.T) {
	w := newWorld(t, "0", "1", "2", "3", "4")
	w.settle("0 1 2 3 4")
	w.settle("2 3 4")
	w.all["2"].dead, w.all["3"].dead = true, true
	w.all["0"].core.Ended("2#0")
	w.all["0"].core.Ended("3#0")
	w.all["1"].core.Ended("2#0")
	w.all["1"].core.Ended("3#0")
	w.settle("0 1")
	w.mode(Minority, "0 1")
	w.all["0"].core.Ended("4#0")
	w.all["1"].core.Ended("4#0")
	w.talk("0 1")
	w.mode(Settled, "0 1")
}

func TestRestartOfAGranter(t *testing.T) { restartOfAGranter(t, rules{}) }

func restartOfAGranter(t testing.TB, r rules) {
	w := newWorldOf(t, r, "0", "1", "2")
	w.settle("0 1 2")
	w.talk("0 1 2")
	w.start("1", false) // crashes and is back: it remembers nothing
	w.settle("1 2")
	w.mode(Minority, "1 2") // boots count: 2 alone is a third of the base
	writes(t, w, "0", true)
}
