package quorum

import (
	"testing"
)

// Evidence raises a minority to more; nothing lowers what has settled.
func TestModesRise(t *testing.T) {
	c := settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a"), nil, 0)
	equal(t, "alone", c.Judge(0).Mode, Minority)
	c.Ended("b#0")
	equal(t, "one is over", c.Judge(0).Mode, Minority)
	c.Ended("c#0")
	v := c.Judge(0)
	equal(t, "all are", []any{v.Mode, v.Number}, []any{Settled, uint64(2)})
	c.vote = No
	equal(t, "and stays", c.Judge(0).Mode, Settled)
}

// Who has no base and hears of none waits until it has looked long enough, and is then a
// minority; one base in the view is enough.
func TestWithoutABase(t *testing.T) {
	play := func(change func(c *Core)) Mode {
		c := solo()
		c.Adopt(viewOf(10, "a", "b", "c"), nil, 0)
		change(c)
		c.vote4(Yes, 0, "a", "b", "c")
		return c.Judge(0).Mode
	}
	based := func(name string) func(c *Core) { return func(c *Core) { c.heard[name+"#0"].base = true } }
	equal(t, "it looks", play(func(*Core) {}), Unsettled)
	equal(t, "it has looked", play((*Core).GiveUp), Minority)
	equal(t, "it may found one", play((*Core).Found), Settled)
	equal(t, "another has one", play(based("b")), Settled)
	equal(t, "the other has one", play(based("c")), Settled)
	c := solo()
	c.Adopt(viewOf(10, "a", "b"), nil, 0)
	w := c.of("b")
	w.Base = true
	c.take(w, 0)
	equal(t, "another says so", c.heard["b#0"].base, true)
	c.take(c.of("b"), 0)
	equal(t, "once", c.heard["b#0"].base, true)
}

// Half of two answers as that once the other half cannot act as more.
func TestHalfOfTwoWaits(t *testing.T) {
	c := settled(t, "a", "b")
	clear(c.waits)
	c.passed = 0
	c.Adopt(viewOf(11, "a"), nil, 100)
	until := c.waits["b#0"]
	equal(t, "it may act", until, 100+lease+lease/64)
	for now, want := range map[int64]Mode{until - 1: Unsettled, until: HalfOfTwo} {
		equal(t, "the mode", c.Judge(now).Mode, want)
	}
}

// A right counts from questions of a settled view: those before gave none.
func TestSettlingBeginsAnew(t *testing.T) {
	c := solo()
	c.Found()
	c.Adopt(viewOf(10, "a", "b"), nil, 0)
	c.take(c.of("b"), 0)
	c.heard["b#0"].confirmed, c.heard["b#0"].stood = 50, 60
	c.take(c.votedBy("b", Yes), 0)
	v := c.Judge(100)
	equal(t, "settled", []any{v.Mode, v.Right}, []any{Settled, int64(0)})
}

// Everyone is asked at once when a view has settled and the right is short, or it is a minority's.
func TestAskedAtOnceWhenItSettled(t *testing.T) {
	for name, x := range map[string]struct {
		right, limited int64
		mode           Vote
		want           bool
	}{
		"no right":           {0, 0, Yes, true},
		"less than half":     {100 + right/2 - 1, 0, Yes, true},
		"half":               {100 + right/2, 0, Yes, false},
		"as a minority":      {0, 100 + right/2, Yes, false},
		"it is a minority's": {100 + right, 0, No, true},
	} {
		c := settled(t, "a", "b", "c")
		c.Adopt(viewOf(11, "a", "b", "c"), nil, 100)
		c.right, c.limited = x.right, x.limited
		c.take(c.of("b"), 100)
		c.take(c.of("c"), 100)
		for _, name := range []string{"b", "c"} {
			c.take(c.votedBy(name, x.mode), 100)
		}
		c.urge(func(*heard) bool { return false })
		c.Urgent()
		c.settle(100)
		equal(t, name, []bool{c.mode != Unsettled, c.Urgent(), c.heard["b#0"].urgent}, []bool{true, x.want, x.want})
	}
}

// Who was left out learns of it from a newer primary that it did not vote for, or from who
// says that it took it in anew; once.
func TestLeftOut(t *testing.T) {
	for name, x := range map[string]struct {
		change func(c *Core, w *Word)
		want   bool
	}{
		"nobody went on":  {func(*Core, *Word) {}, false},
		"our own primary": {func(c *Core, w *Word) { w.Last, w.LastView = 1, 10 }, false},
		"a newer one":     {func(c *Core, w *Word) { w.Last, w.LastView = 3, 30 }, true},
		"for which it voted": {func(c *Core, w *Word) {
			w.Last, w.LastView = 3, 30
			c.tried = append(c.tried, Primary{Number: 3, View: 30})
		}, false},
		"with that number for another": {func(c *Core, w *Word) {
			w.Last, w.LastView = 3, 30
			c.tried = append(c.tried, Primary{Number: 3, View: 31})
		}, true},
		"for that, with another number": {func(c *Core, w *Word) {
			w.Last, w.LastView = 3, 30
			c.tried = append(c.tried, Primary{Number: 2, View: 30})
		}, true},
		"it was taken in anew":   {func(c *Core, w *Word) { w.TakenIn = 4 }, true},
		"but has not served yet": {func(c *Core, w *Word) { w.TakenIn, c.served = 4, false }, false},
		"as it knows already":    {func(c *Core, w *Word) { w.TakenIn, c.stamps["b#0"] = 4, 4 }, false},
	} {
		c := settled(t, "a", "b")
		c.Adopt(viewOf(11, "a", "b"), nil, 0)
		w := c.of("b")
		x.change(c, &w)
		c.take(w, 0)
		w.Number, w.Vote = c.number, Yes
		c.take(w, 0)
		v := c.Judge(0)
		equal(t, name, []any{v.Mode, v.LeftOut}, []any{Settled, x.want})
		equal(t, name+": again", c.Judge(0).LeftOut, false)
		equal(t, name+": it is noted", c.stamps["b#0"], w.TakenIn)
	}
}

// What another said of that is not forgotten while it is away: who comes back and says the same
// has not gone on without this member, and who took it in anew meanwhile says another.
func TestLeftOutByWhoWasAway(t *testing.T) {
	for name, x := range map[string]struct {
		said uint64
		want bool
	}{
		"it voted for nothing":   {4, false},
		"it took this one in":    {5, true},
		"it knows this one anew": {0, true},
	} {
		c := settled(t, "a", "b", "c")
		c.stamps["c#0"] = 4
		c.next(11, Yes, 0, "a", "b")
		equal(t, name+": without it", []any{c.Judge(0).LeftOut, c.stamps["c#0"]}, []any{false, uint64(4)})
		c.Adopt(viewOf(12, "a", "b", "c"), nil, 0)
		for _, vote := range []Vote{NoVote, Yes} { // they agree, and vote
			for _, who := range []string{"b", "c"} {
				w := c.of(who)
				if vote == Yes {
					w = c.votedBy(who, vote)
				}
				if who == "c" {
					w.TakenIn = x.said
				}
				c.take(w, 0)
			}
		}
		v := c.Judge(0)
		equal(t, name, []any{v.Mode, v.LeftOut, c.stamps["c#0"]}, []any{Settled, x.want, x.said})
	}
	c := settled(t, "a", "b")
	for i := range maxWaits {
		c.stamps[string(rune(i+1))] = 1
	}
	c.ended["\x01"] = struct{}{}
	c.next(11, Yes, 0, "a", "b")
	c.Judge(0)
	equal(t, "as many as are waited for, but for who is over", len(c.stamps), maxWaits)
	c.stamps["one"], c.stamps["two"] = 1, 1 // one too many
	c.next(12, Yes, 0, "a", "b")
	c.Judge(0)
	equal(t, "bounded", len(c.stamps), 1)
}

// Who goes on because the others are over drops what it holds if its right has ended: they may
// have gone on without it.
func TestLeftOutByWhoIsOver(t *testing.T) {
	for name, x := range map[string]struct {
		change func(c *Core)
		want   bool
	}{
		"its right has ended": {func(c *Core) { c.right = 100 }, true},
		"not yet":             {func(c *Core) { c.right = 101 }, false},
		"it never served":     {func(c *Core) { c.right, c.served = 0, false }, false},
		"it is a minority": {func(c *Core) {
			c.right = 0
			delete(c.ended, "c#0")
		}, false},
	} {
		c := settled(t, "a", "b", "c")
		c.Adopt(viewOf(11, "a"), nil, 100)
		c.Ended("b#0")
		c.Ended("c#0")
		x.change(c)
		equal(t, name, c.Judge(100).LeftOut, x.want)
	}
	c := settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a", "b"), nil, 100)
	c.vote4(Yes, 100, "a", "b")
	equal(t, "a majority", c.Judge(100).LeftOut, false)
}

// Nor does who is a minority by another's no.
func TestLeftOutByWhoIsOverNeedsAPrimary(t *testing.T) {
	c := settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a", "d"), nil, 100)
	c.Ended("b#0")
	c.Ended("c#0")
	c.take(c.of("d"), 100)
	c.take(c.votedBy("d", No), 100)
	v := c.Judge(100)
	equal(t, "a minority", []any{c.freed, v.Mode, v.LeftOut}, []any{true, Minority, false})
}

// A member that voted without another takes it in anew; one that voted for nothing meanwhile
// does not.
func TestTakenInAnew(t *testing.T) {
	c := settled(t, "a", "b", "c")
	equal(t, "founders together", []uint64{c.takenIn["b#0"], c.takenIn["c#0"]}, []uint64{0, 0})
	c.Adopt(viewOf(11, "a", "b"), nil, 0)
	c.Adopt(viewOf(12, "a", "b", "c", "d"), nil, 0)
	equal(t, "no vote meanwhile", []uint64{c.takenIn["c#0"], c.takenIn["d#0"]}, []uint64{0, 3})
	equal(t, "who is there has not parted", len(c.parted), 0)
	c.vote4(Yes, 0, "a", "b", "c", "d")
	c.next(13, Yes, 0, "a", "b", "c")
	c.Adopt(viewOf(14, "a", "b", "c", "d"), nil, 0)
	equal(t, "a vote without it", []uint64{c.takenIn["c#0"], c.takenIn["d#0"]}, []uint64{0, 5})
	c.parted = make(map[string]uint64)
	for i := range maxWaits {
		c.parted[string(rune(i+1))] = 1
	}
	c.Adopt(viewOf(15, "a"), nil, 0)
	equal(t, "bounded", len(c.parted), maxWaits)
}
