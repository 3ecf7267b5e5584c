package quorum

import (
	"reflect"
	"testing"
)

// Lists of members are in order, whatever order they are kept in.
func TestOrder(t *testing.T) {
	all := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}
	c := settled(t, all...)
	c.Adopt(viewOf(11, all...), nil, 0)
	var want []string
	for _, name := range all[1:] {
		want = append(want, name+"#0")
		c.expelled[name] = member(name)
	}
	equal(t, "who lags", c.LaggingIDs(), want)
	equal(t, "whom to ask", c.Ask(10, 100, 0), want)
	equal(t, "expelled", names(c.Expelled()), "bcdefghi")
	for i, id := range want {
		c.Unreached(id, int64(1000-10*i))
	}
	equal(t, "the next report", c.Report(0), 930+2*second)
	equal(t, "the greatest", greatest(members("c", "d", "a")), "d#0")
}

// A new life of its own is what a member goes by from then on.
func TestOwnLife(t *testing.T) {
	c := settled(t, "a", "b")
	equal(t, "itself", []bool{c.in("a#0"), solo().in("a#0")}, []bool{true, false})
	v := viewOf(11, "a", "b")
	v.Members[0].Life = 3
	c.Adopt(v, nil, 0)
	for life, want := range map[string]bool{"a#0/0": false, "a#0/3": true} {
		w := c.of("b")
		w.Expelled = []string{life}
		c.Asked(w, 0)
		_, self := c.TakeNews()
		equal(t, life, self, want)
	}
}

// An answer that tells of a higher number is voted with, if a vote was given.
func TestAnswersWithAHigherNumber(t *testing.T) {
	c := settled(t, "a", "b")
	c.asks("b", 5, 5, func(w *Word) { w.Number = 8 })
	equal(t, "number", c.number, uint64(8))
	equal(t, "an answer to another's number gives no right", c.Judge(5).Right, int64(0))
	c.Adopt(viewOf(11, "a", "b", "c"), nil, 0)
	c.asks("b", 5, 5, func(w *Word) { w.Number = 12 })
	equal(t, "before the first vote", c.number, uint64(0))
}

// A member is asked at once when the view is new, then soon while it lags, else now and then.
func TestWhomToAsk(t *testing.T) {
	c := solo()
	c.Found()
	c.Adopt(viewOf(10, "a", "b", "c"), nil, 1000)
	ask := func(now int64) []string { return c.Ask(10, 100, now) }
	equal(t, "at once", ask(1000), []string{"b#0", "c#0"})
	equal(t, "not again", ask(1009), []string(nil))
	equal(t, "soon, for they lag", ask(1010), []string{"b#0", "c#0"})
	c.vote4(Yes, 1010, "a", "b", "c")
	c.Ask(10, 100, 1010)
	equal(t, "who lags", []any{c.Lagging(), c.LaggingIDs()}, []any{false, []string(nil)})
	equal(t, "settled", ask(1109), []string(nil))
	equal(t, "now and then", ask(1110), []string{"b#0", "c#0"})
	c.heard["c#0"].handing = true
	equal(t, "one lags", []any{c.Lagging(), c.LaggingIDs()}, []any{true, []string{"c#0"}})
	equal(t, "it alone", ask(1120), []string{"c#0"})
	c.heard["b#0"].urgent = true
	equal(t, "at once, for once", [][]string{ask(1121), ask(1121)}, [][]string{{"b#0"}, nil})
	c.heard["b#0"].urgent = true
	c.take(c.votedBy("b", Yes), 1121)
	equal(t, "it has come and does not lag", ask(1121), []string(nil))
	c.heard["b#0"].urgent = true
	w := c.votedBy("b", Yes)
	w.Handing = true
	c.take(w, 1121)
	equal(t, "it has come and lags", ask(1121), []string{"b#0"})
}

// Who lags: who does not hold the view, hands over, or has not voted as this member did.
func TestLagging(t *testing.T) {
	c := settled(t, "a", "b")
	for name, x := range map[string]struct {
		h    heard
		want bool
	}{
		"voted as we did":   {heard{agrees: true, number: 1, vote: No}, false},
		"another view":      {heard{number: 1, vote: Yes}, true},
		"hands over":        {heard{agrees: true, handing: true, number: 1, vote: Yes}, true},
		"another number":    {heard{agrees: true, number: 2, vote: Yes}, true},
		"has not voted yet": {heard{agrees: true, number: 1}, true},
	} {
		equal(t, name, c.lagging(&x.h), x.want)
	}
	c.number = 0
	equal(t, "nor have we", c.lagging(&heard{agrees: true}), false)
}

// Urgent is said once, when there is news for everyone.
func TestUrgent(t *testing.T) {
	c := settled(t, "a", "b", "c")
	equal(t, "a view has settled", [2]bool{c.Urgent(), c.Urgent()}, [2]bool{true, false})
	c.heard["b#0"].urgent = true
	c.consider(5, 0)
	equal(t, "a higher number", []bool{c.Urgent(), c.heard["b#0"].urgent, c.heard["c#0"].urgent}, []bool{true, true, true})
	c.heard["b#0"].number = 6
	c.consider(6, 0)
	equal(t, "but who has it", []bool{c.Urgent(), c.heard["b#0"].urgent, c.heard["c#0"].urgent}, []bool{true, false, true})
	c.urge(func(*heard) bool { return false })
	equal(t, "nobody", c.Urgent(), false)
}

func TestHeardOf(t *testing.T) {
	c := settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a", "b", "c"), nil, 0)
	tell := func(id string) [2]bool { heard, founded := c.HeardOf(id); return [2]bool{heard, founded} }
	equal(t, "not yet", tell("b#0"), [2]bool{})
	c.take(c.of("b"), 0)
	equal(t, "it knows of no mesh", tell("b#0"), [2]bool{true, false})
	w := c.of("b")
	w.Last, w.LastView = 1, 10
	c.take(w, 0)
	equal(t, "it does", tell("b#0"), [2]bool{true, true})
	equal(t, "a stranger", tell("x#0"), [2]bool{})
}

// A word whose numbers are far beyond all that are known is not believed at all.
func TestCredible(t *testing.T) {
	for name, lie := range map[string]func(w *Word, n uint64){
		"number":   func(w *Word, n uint64) { w.Number, w.Vote = n, Yes },
		"last":     func(w *Word, n uint64) { w.Last = n },
		"known":    func(w *Word, n uint64) { w.Known = n },
		"promised": func(w *Word, n uint64) { w.Promised = n },
		"a base":   func(w *Word, n uint64) { w.Bases = []Primary{{Number: 1}, {Number: n}, {Number: 2}} },
	} {
		c := settled(t, "a", "b")
		c.promised, c.known = 5, 3
		for n, want := range map[uint64]bool{5 + maxStep - 1: true, 5 + maxStep: false} {
			w := c.of("b")
			lie(&w, n)
			equal(t, name, c.credible(w), want)
		}
		w := c.of("b")
		lie(&w, 1<<62)
		before := *c.heard["b#0"]
		w.Handing = true
		c.Asked(w, 0)
		if !reflect.DeepEqual(*c.heard["b#0"], before) {
			t.Errorf("%s: %+v was noted", name, *c.heard["b#0"])
		}
	}
}

// The first vote takes the highest number, wherever it stands in the list.
func TestHighest(t *testing.T) {
	c := settled(t, "a", "b", "c", "d", "e", "f", "g")
	for i, id := range c.LaggingIDs() {
		t.Errorf("%d: %s lags", i, id)
	}
	for i, name := range []string{"b", "c", "d", "e", "f", "g"} {
		c.heard[name+"#0"].number = uint64(5 - i%3)
	}
	c.heard["d#0"].number = 9
	for range 5 {
		equal(t, "highest", c.highest(), uint64(9))
	}
}
