package quorum

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestWhatIsSaid: all that a word says, of a member that has been through something.
func TestWhatIsSaid(t *testing.T) {
	c := settled(t, "a", "b", "c")
	c.right, c.known = 150, 3
	c.takenIn["b#0"] = 6
	c.Unreached("c#0", 0)
	c.Forget("y")
	c.expelled["x#0/0"] = member("x")
	clear(c.waits)
	c.waits["z"] = 130
	want := Word{
		From: "a#0", View: 10, Number: 1, Vote: Yes, Last: 1, LastView: 10, Known: 3, Promised: 1, Base: true, Stands: true,
		RightFor: right, RightLeft: 50, WaitsLeft: 30, TakenIn: 6, Expelled: []string{"x#0/0"}, Forgotten: []string{"y"},
	}
	equal(t, "it says", c.Say("b#0", 100), want)
	c.Hand(true)
	want.Handing, want.Unreachable, want.RightLeft, want.WaitsLeft = true, []string{"c#0"}, 0, 0
	equal(t, "later", c.Say("b#0", 2*second), want)
	want.Stands, want.TakenIn = false, 0
	equal(t, "to a stranger", c.Say("x#0", 2*second), want)
	c = solo()
	equal(t, "without a view", c.Say("b#0", 0), Word{From: "a#0", WantsBase: true, RightFor: right})
	c.Adopt(viewOf(10, "a", "b"), nil, 0)
	equal(t, "without a primary nobody stands by one", c.Say("b#0", 0).Stands, false)
	c.last, c.copied = Primary{Number: 4}, true
	equal(t, "nor by a copy", c.Say("b#0", 0).Stands, false)
	c = solo()
	c.Found()
	equal(t, "of a founder", c.Say("b#0", 0).Base, true)
	// No list is longer than others read.
	for i := range 2 * maxListed {
		c.Forget(fmt.Sprint(100 + i))
		c.unreached[fmt.Sprint(100+i)] = 0
	}
	w := c.Say("b#0", 2*second)
	equal(t, "listed", [2]int{len(w.Forgotten), len(w.Unreachable)}, [2]int{maxListed, maxListed})
	equal(t, "the first", [2]string{w.Forgotten[0], w.Unreachable[0]}, [2]string{"100", "100"})
}

// A base is told to whoever wants one and knows no newer.
func TestBaseIsTold(t *testing.T) {
	for name, x := range map[string]struct {
		say  func(w *Word)
		want int
	}{
		"wanted":            {func(w *Word) { w.WantsBase = true }, 2},
		"not wanted":        {func(w *Word) {}, 0},
		"as new a one":      {func(w *Word) { w.WantsBase, w.Last = true, 1 }, 0},
		"by another's view": {func(w *Word) { w.WantsBase, w.View = true, 99 }, 0},
	} {
		c := settled(t, "a", "b")
		c.tried = []Primary{{Number: 5}}
		w := c.of("b")
		x.say(&w)
		equal(t, name, len(c.Asked(w, 0).Bases), x.want)
	}
	equal(t, "by a stranger", settled(t, "a", "b").Say("x", 0).Bases, []Primary(nil))
}

// A base is copied by whoever has none of its own, or an older copy.
func TestBaseIsCopied(t *testing.T) {
	base := []Primary{{Number: 5, View: 50, Set: members("b", "x")}, {Number: 6, View: 60, Set: members("b", "y")}}
	for name, x := range map[string]struct {
		change func(c *Core, w *Word)
		want   bool
	}{
		"it has none":         {func(*Core, *Word) {}, true},
		"an older copy":       {func(c *Core, _ *Word) { c.last, c.copied = Primary{Number: 4}, true }, true},
		"as new a copy":       {func(c *Core, _ *Word) { c.last, c.copied = Primary{Number: 5}, true }, false},
		"its own":             {func(c *Core, _ *Word) { c.last = Primary{Number: 4} }, false},
		"nothing is told":     {func(_ *Core, w *Word) { w.Bases = nil }, false},
		"by another view":     {func(_ *Core, w *Word) { w.View++ }, false},
		"as many as may be":   {func(c *Core, _ *Word) { c.tried = make([]Primary, maxTried-1) }, true},
		"too many of its own": {func(c *Core, _ *Word) { c.tried = make([]Primary, maxTried) }, false},
	} {
		c := solo()
		c.Adopt(viewOf(10, "a", "b"), nil, 0)
		w := c.of("b")
		w.Bases = base
		x.change(c, &w)
		own := len(c.tried)
		c.Hand(true) // it does not vote yet
		c.Asked(w, 70)
		if got := c.last.Number == 5 && c.last.View == 50 && c.copied && len(c.tried) == own+1 && c.missing["x#0"] == 70 && c.missing["y#0"] == 70; got != x.want {
			t.Errorf("%s: copied %v, want %v", name, got, x.want)
		}
		if !x.want && (c.last.Number == 5 && len(c.last.Set) > 0 || len(c.tried) != own) {
			t.Errorf("%s: a part was copied", name)
		}
		if x.want {
			equal(t, name+": it wants one of its own", c.Say("b#0", 0).WantsBase, true)
		}
	}
}

// What is noted of a member: by our view, all that it says; by another, for how long it may
// act, what it cannot reach, and no vote.
func TestWhatIsNoted(t *testing.T) {
	full := func(c *Core) Word {
		w := c.of("b")
		w.Number, w.Vote, w.Last, w.LastView, w.Known, w.Promised = 7, Half, 3, 30, 4, 7
		w.Base, w.WantsBase, w.Handing, w.TakenIn = true, true, true, 9
		w.RightLeft, w.WaitsLeft, w.Unreachable = 6400, 900, []string{"c#0"}
		return w
	}
	c := settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a", "b", "c"), nil, 0)
	clear(c.waits)
	w := full(c)
	c.take(w, 100)
	want := heard{agrees: true, handing: true, number: 7, vote: Half, last: 3, lastView: 30, base: true, wantsBase: true, takenIn: 9,
		urgent: true, unreachable: []string{"c#0"}, holds: 11, reported: 100}
	equal(t, "heard", *c.heard["b#0"], want)
	equal(t, "known, passed, waits", []any{c.known, c.passed, c.waits["b#0"]}, []any{uint64(4), int64(1000), int64(100 + 6400 + 100)})
	// Less takes nothing away that binds.
	w.Number, w.Last, w.LastView, w.Known, w.Base, w.Handing, w.RightLeft, w.WaitsLeft, w.Unreachable = 6, 2, 20, 2, false, false, 0, 0, nil
	c.take(w, 200)
	want.handing, want.unreachable, want.reported, want.urgent = false, nil, 200, false
	equal(t, "heard later", *c.heard["b#0"], want)
	equal(t, "known, passed, waits", []any{c.known, c.passed, c.waits["b#0"]}, []any{uint64(4), int64(1000), int64(6600)})
	w.Vote = Yes
	c.take(w, 200)
	equal(t, "a higher vote with a lower number", *c.heard["b#0"], want)
	w.Number, w.Vote, w.WaitsLeft = 7, Half, 5000
	c.take(w, 200)
	equal(t, "the same vote once more", c.passed, int64(1000))
	w.Number, w.Vote, w.Last, w.LastView = 7, No, 3, 31
	c.take(w, 200)
	equal(t, "a lower vote with the same number", *c.heard["b#0"], func() heard { h := want; h.lastView = 31; return h }())
	w.Vote = Yes
	c.take(w, 200)
	equal(t, "a higher one", c.heard["b#0"].vote, Yes)

	c = settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a", "b", "c"), nil, 0)
	clear(c.waits)
	w = full(c)
	w.View = 10
	c.take(w, 100)
	equal(t, "by another view", *c.heard["b#0"], heard{urgent: true, unreachable: []string{"c#0"}, holds: 10, reported: 100})
	equal(t, "by another view", []any{c.known, c.passed, c.waits["b#0"]}, []any{uint64(1), int64(0), int64(6600)})
	w.From = "x#0"
	c.take(w, 100)
	equal(t, "a stranger", keys(c.waits), []string{"b#0"})
}

// Whom a voter waits for counts for a view that has not settled here, or is voted on again.
func TestWhatVotersWaitFor(t *testing.T) {
	for name, x := range map[string]struct {
		number uint64
		want   int64
	}{"the vote that has settled": {1, 0}, "a newer one": {2, 1000}} {
		c := settled(t, "a", "b")
		c.heard["b#0"].number, c.heard["b#0"].vote = 0, NoVote
		c.passed = 0
		w := c.of("b")
		w.Number, w.Vote, w.WaitsLeft = x.number, Yes, 900
		c.take(w, 100)
		equal(t, name, c.passed, x.want)
	}
	c := settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a", "b", "c"), nil, 0)
	c.take(c.of("b"), 0)
	c.take(c.of("c"), 0)
	w := c.votedBy("b", Yes)
	w.WaitsLeft = 9 * second
	c.take(w, 100)
	equal(t, "our own vote, before it has settled", c.passed, 100+9*second)
	c = settled(t, "a", "b")
	c.passed = 5000
	w = c.of("b")
	w.Number, w.Vote, w.WaitsLeft = 2, Yes, 900
	c.take(w, 100)
	equal(t, "who was waited for before", c.passed, int64(5000))
}

// The first vote is given when all have said that they hold the view; with the highest number
// that was heard.
func TestFirstVote(t *testing.T) {
	c := settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a", "b", "c"), nil, 0)
	c.take(c.of("b"), 0)
	equal(t, "one has not agreed", []any{c.Judge(0).Number, c.number}, []any{uint64(0), uint64(0)})
	w := c.of("c")
	w.Handing = true
	c.take(w, 0)
	equal(t, "one hands over", c.number, uint64(0))
	w.Handing = false
	c.take(w, 0)
	equal(t, "all have agreed", []any{c.number, c.vote}, []any{uint64(2), Yes})
	c.Adopt(viewOf(12, "a", "b", "c"), nil, 0)
	w = c.of("b")
	w.Number, w.Vote = 7, Yes
	c.take(w, 0)
	c.take(c.of("c"), 0)
	equal(t, "with a number that was heard", c.number, uint64(7))
	w.Number = 9
	c.take(w, 0)
	equal(t, "and then a higher one", []any{c.number, c.mode}, []any{uint64(9), Unsettled})
	w.Number = 8
	c.take(w, 0)
	equal(t, "and no lower one", c.number, uint64(9))
	w.Last, w.LastView = 9, 12
	c.take(w, 0)
	equal(t, "our own view settled there", c.number, uint64(9))
	w.LastView = 13
	c.take(w, 0)
	equal(t, "another primary has our number", c.number, uint64(10))
	w.Last = 8
	c.take(w, 0)
	equal(t, "an older one", c.number, uint64(10))
}

// Who hands over hears the others' votes, and votes with the highest when it has done so.
func TestFirstVoteAfterHandingOver(t *testing.T) {
	c := settled(t, "a", "b")
	c.Adopt(viewOf(11, "a", "b"), nil, 0)
	c.Hand(true)
	w := c.of("b")
	w.Number, w.Vote = 7, Yes
	c.take(w, 0)
	equal(t, "it hands over", []any{c.Judge(0).Mode, c.number}, []any{Unsettled, uint64(0)})
	c.Hand(false)
	equal(t, "it has", []any{c.Judge(0).Mode, c.number}, []any{Settled, uint64(7)})
	c = settled(t, "a", "b")
	c.vote4(Yes, 0, "a", "b")
	c.Adopt(viewOf(12, "a", "b"), nil, 0)
	c.take(c.of("b"), 0)
	w = c.votedBy("b", Yes)
	w.Known = 9
	c.take(w, 0)
	equal(t, "what became known since the vote stays known", []any{c.Judge(0).Mode, c.known}, []any{Settled, uint64(9)})
}

// What a member said last is what is shown of it, also if it came to hold another view.
func TestSaid(t *testing.T) {
	c := settled(t, "a", "b", "c")
	other := c.of("b")
	other.View, other.Unreachable = 77, []string{"c#0"}
	c.Asked(other, 5*second)
	c.Asked(c.of("c"), 6*second)
	all := c.Said()
	slices.SortFunc(all, func(a, b Said) int { return strings.Compare(a.ID, b.ID) })
	equal(t, "said", all, []Said{{"b#0", false, []string{"c#0"}, 5 * second}, {"c#0", true, nil, 6 * second}})
	c.Asked(c.of("b"), 7*second)
	c.Adopt(viewOf(11, "a", "b"), nil, 8*second)
	equal(t, "said in a new view", c.Said(), []Said{{"b#0", false, nil, 0}})
}
