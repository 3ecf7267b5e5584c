package quorum

import (
	"fmt"
	"strings"
	"testing"
)

func TestLeaveTwoAtOnce(t *testing.T) {
	w := newWorld(t, "0", "1", "2")
	w.settle("0 1 2")
	w.settle("0 -1 -2")
	w.mode(Settled, "0 1 2")
	w.settle("0", "1#0", "2#0")
	w.mode(Settled, "0")
	writes(t, w, "0", true)
}

func TestReplaced(t *testing.T) {
	names := "0 1 2 3 4"
	w := newWorld(t, strings.Fields(names+" 5 6 7")...)
	w.settle(names)
	for _, dead := range strings.Fields("2 3 4") {
		w.all[dead].dead = true
	}
	w.settle("0 1 5 6 7")
	w.pass(2 * right)
	w.mode(Minority, "0 1 5 6 7")
	for _, p := range w.all {
		p.core.Ended("2#0")
		p.core.Ended("3#0")
	}
	w.talk("0 1 5 6 7")
	w.mode(Minority, "0 1 5 6 7") // evidence for two of three is none
	w.pass(901 * second)
	w.talk("0 1 5 6 7")
	w.mode(Settled, "0 1 5 6 7")
}

func TestReplacedByForget(t *testing.T) {
	w := newWorld(t, strings.Fields("0 1 2 3 4 5")...)
	w.settle("0 1 2 3 4")
	w.settle("0 1 5")
	w.mode(Minority, "0 1 5")
	for _, id := range []string{"2#0", "3#0", "4#0"} {
		w.all["5"].core.Forget(id) // told to one, it reaches all
	}
	w.talk("0 1 5")
	w.mode(Settled, "0 1 5")
}

func TestFlap(t *testing.T) {
	w := newWorld(t, "0", "1", "2", "3", "4")
	w.settle("0 1 2 3 4")
	for i := range 40 {
		w.adopt([]string{"0 1 2 3", "0 1 2 4", "0 1 2"}[i%3], "0 1 2")
		w.ask("0", "1")
		w.pass(second / 10)
	}
	w.settle("0 1 2 3 4")
	w.mode(Settled, "0 1 2 3 4")
}

// Votes for views that come to nothing bind; when too many are noted the answer
// is no, until the members are together again.
func TestTooManyAttempts(t *testing.T) {
	w := newWorld(t, "0", "1", "2", "3", "4")
	w.settle("0 1 2 3 4")
	p := w.all["0"]
	for i := range 100 {
		p.adopt(w.view([]string{"0 1 2", "0 1 3", "0 1 4"}[i%3]), nil)
		p.core.consider(p.core.promised+1, w.now)
	}
	if len(p.core.tried) > maxTried {
		t.Errorf("%d views noted", len(p.core.tried))
	}
	w.settle("0 1 2 3 4")
	w.mode(Settled, "0 1 2 3 4")
}

// A member that reached nobody is a minority until it may found a mesh, and one
// that met a mesh founds none beside it.
func TestNoBase(t *testing.T) {
	w := newWorld(t, "0", "1", "2")
	w.settle("0 1")
	w.settle("2")
	w.mode(Minority, "2")
	w.adopt("0 1 2", "")
	w.ask("2", "0") // it hears of the base, and is cut off
	w.ask("2", "0")
	w.all["2"].core.Found()
	w.settle("2")
	w.mode(Minority, "2")
	w.settle("0 1 2")
	w.mode(Settled, "0 1 2")
}

func TestExpel(t *testing.T) {
	w := newWorld(t, "0", "1", "2", "3")
	w.settle("0 1 2 3")
	reach := func() {
		for _, name := range strings.Fields("0 1 2") {
			w.all[name].core.Unreached("3#0", w.now)
		}
		w.all["3"].core.Unreached("0#0", w.now)
	}
	reach()
	w.pass(2 * second)
	w.talk("0 1 2")
	if m, ok := w.all["0"].core.Expel(w.now); ok {
		t.Errorf("%v was expelled after 2 s", m)
	}
	w.pass(second)
	w.talk("0 1 2")
	if m, ok := w.all["3"].core.Expel(w.now); ok {
		t.Errorf("the one that nobody reaches expelled %v", m)
	}
	m, ok := w.all["0"].core.Expel(w.now)
	if !ok || m.Name != "3" {
		t.Fatalf("Expel = %v, %v", m, ok)
	}
	w.ask("0", "1")
	if expelled, _ := w.all["1"].core.TakeNews(); !expelled {
		t.Error("1 did not follow")
	}
	w.ask("0", "3")
	if _, self := w.all["3"].core.TakeNews(); !self {
		t.Error("3 was called and not told")
	}
	w.ask("3", "0")
	if _, self := w.all["3"].core.TakeNews(); self {
		t.Error("an answer tells what only a call may tell")
	}
}

// One member reaches all, four do not reach each other, and there are no relays:
// nobody may be put out below a majority.
func TestStarKeepsAMajority(t *testing.T) {
	w := newWorld(t, "0", "1", "2", "3", "4")
	w.settle("0 1 2 3 4")
	for _, a := range strings.Fields("1 2 3 4") {
		for _, b := range strings.Fields("1 2 3 4") {
			w.all[a].core.Unreached(b+"#0", w.now)
		}
	}
	w.pass(4 * second)
	for range 3 {
		for _, leaf := range strings.Fields("1 2 3 4") {
			w.ask("0", leaf)
			w.ask(leaf, "0")
		}
	}
	for range 5 {
		w.all["0"].core.Expel(w.now)
	}
	if n := len(w.all["0"].core.Expelled()); n > 2 {
		t.Errorf("%d of five were expelled", n)
	}
}

// Schedule 7: everyone has the member back that one of them voted without, for a view
// that settled at another, who is gone.
func TestLeftOutByAVote(t *testing.T) { leftOutByAVote(t, rules{}) }

func leftOutByAVote(t testing.TB, r rules) {
	w := newWorldOf(t, r, "0", "1", "2", "3", "4")
	w.settle("0 1 2 3 4")
	w.all["0"].read()
	w.adopt("1 2 3 4", "") // 1 settles, and then 2 goes on with 0 and those who know of nothing
	for range 4 {
		for _, to := range strings.Fields("2 3 4") {
			w.ask("1", to)
		}
	}
	w.mode(Settled, "1")
	w.pass(2 * right)
	for _, to := range strings.Fields("2 3 4") {
		w.ask("1", to)
		w.ask("1", to)
	}
	writes(t, w, "1", true)
	w.crash("1")
	w.settle("0 2 3 4")
	w.mode(Settled, "0 2 3 4")
	w.all["0"].read()
	w.mode(Settled, "0")
}

// A noticed test stands for one that fails.
type noticed struct {
	testing.TB
	what []string
}

func (n *noticed) Helper()           {}
func (n *noticed) Error(args ...any) { n.what = append(n.what, fmt.Sprint(args...)) }
func (n *noticed) Errorf(format string, args ...any) {
	n.what = append(n.what, fmt.Sprintf(format, args...))
}

// Builds without a rule that random schedules miss are noticed by one that is played.
func TestSchedulesNotice(t *testing.T) {
	for _, c := range []struct {
		name  string
		r     rules
		plays func(t testing.TB, r rules)
	}{
		{"own word only", rules{ownWord: true}, newcomersOutvote},
		{"names instead of boots", rules{names: true}, restartOfAGranter},
		{"left out, neither told nor by number", rules{untold: true, unnumbered: true}, unknownReturner}, // either will do there
		{"left out, told", rules{untold: true}, leftOutByAVote},
		{"left out and not dropped", rules{keepLeftOut: true}, unknownReturner},
		{"own base only", rules{ownBase: true}, betweenTwo},
		{"a right before settling", rules{anyRight: true}, rightBeforeSettling},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &noticed{TB: t}
			c.plays(n, c.r)
			if len(n.what) == 0 {
				t.Error("not noticed")
			}
			t.Log(n.what)
		})
	}
}
