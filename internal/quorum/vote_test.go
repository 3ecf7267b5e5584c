package quorum

import (
	"strings"
	"testing"
)

// A vote by our own base: more than half of it, or half of four or more with the greatest.
func TestMajority(t *testing.T) {
	for base, views := range map[string]map[string]Vote{
		"a b":       {"a b": Yes, "a x": Half},
		"a b c":     {"a b": Yes, "a x y": No},
		"a b c d":   {"a b c": Yes, "a d": Yes, "a c": No, "a x y z": No},
		"a":         {"a x y": Yes},
		"a b c d e": {"a e": No, "a b c": Yes},
	} {
		for view, want := range views {
			c := settled(t, strings.Fields(base)...)
			c.Adopt(viewOf(11, strings.Fields(view)...), nil, 0)
			equal(t, base+" and then "+view, c.ownVote(0), want)
			c.tried = []Primary{{Number: 1, Set: members("x", "y", "z")}}
			equal(t, "a vote as old as the primary binds no more", c.ownVote(0), map[bool]Vote{true: want, false: No}[want != Half])
			c.tried[0].Number = 2
			if view == "a b" {
				equal(t, "a vote since binds", c.ownVote(0), No)
			}
			c.known = 2
			if !strings.Contains(view, "z") {
				equal(t, "and is void by a newer primary that is known, as the base is", c.ownVote(0), Yes)
			}
		}
	}
	c := solo()
	c.Adopt(viewOf(10, "a", "b"), nil, 0)
	equal(t, "without a base", c.ownVote(0), Yes)
	c.last, c.copied = Primary{Number: 5, Set: members("x", "y")}, true
	equal(t, "a copy that is newer than all that is known, and nobody of it here", c.ownVote(0), No)
	equal(t, "for whom it waits", names(c.WaitsFor(0)), "xy")
}

// The rest of a base that is over is no reason for a no; that it was so is noted.
func TestVoteWithoutWhoIsOver(t *testing.T) {
	c := settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a"), nil, 0)
	equal(t, "alone", []any{c.ownVote(0), c.freed}, []any{No, false})
	c.Ended("b#0")
	c.Ended("c#0")
	equal(t, "the others are over", []any{c.ownVote(0), c.freed}, []any{Yes, true})
	c.tried = []Primary{{Number: 5, Set: members("a", "x", "y")}}
	equal(t, "but not those of a vote", []any{c.ownVote(0), c.freed}, []any{No, false})
	c.Forget("x#0")
	c.Forget("y#0")
	equal(t, "they too", []any{c.ownVote(0), c.freed}, []any{Yes, true})
	c = settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a", "b"), nil, 0)
	c.freed = true
	equal(t, "with a majority", []any{c.ownVote(0), c.freed}, []any{Yes, false})
	c = settled(t, "a", "b")
	c.Adopt(viewOf(11, "a"), nil, 0)
	c.Ended("b#0")
	equal(t, "the other of two is over", []any{c.ownVote(0), c.freed}, []any{Yes, true})
}

// Numbers: one is used once, and is above every primary and every vote that is known.
func TestNumbersOfVotes(t *testing.T) {
	for name, x := range map[string]struct {
		change func(c *Core)
		n      uint64
		want   uint64
	}{
		"one of its own":              {func(*Core) {}, 0, 2},
		"above what it promised":      {func(c *Core) { c.promised = 7 }, 0, 8},
		"above what is known":         {func(c *Core) { c.known = 8 }, 0, 9},
		"above its primary":           {func(c *Core) { c.last.Number = 9 }, 0, 10},
		"heard":                       {func(*Core) {}, 5, 5},
		"heard, and promised already": {func(c *Core) { c.promised = 5 }, 5, 6},
		"heard, and as the known":     {func(c *Core) { c.known = 5 }, 5, 6},
		"heard, and just above":       {func(c *Core) { c.promised = 5 }, 6, 6},
	} {
		c := settled(t, "a", "b")
		c.Adopt(viewOf(11, "a", "b"), nil, 0)
		x.change(c)
		c.consider(x.n, 0)
		equal(t, name, []any{c.number, c.promised, c.vote}, []any{x.want, max(x.want, c.promised), Yes})
		equal(t, name+": it is noted", c.tried[len(c.tried)-1], Primary{Number: x.want, View: 11, Set: members("a", "b")})
		noted := len(c.tried)
		c.consider(x.want, 0)
		c.consider(0, 0)
		c.consider(1, 0)
		equal(t, name+": once", []any{c.number, len(c.tried)}, []any{x.want, noted})
	}
	c := settled(t, "a", "b")
	c.Adopt(viewOf(11, "a", "b"), nil, 0)
	c.Hand(true)
	c.consider(5, 0)
	equal(t, "who hands over votes for nothing", c.number, uint64(0))
	c = solo()
	c.consider(5, 0)
	equal(t, "nor who has no view", c.number, uint64(0))
}

// A no uses up no number, a half does; evidence that comes later makes a yes of both.
func TestVotesThatAreThoughtOver(t *testing.T) {
	c := settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a"), nil, 0)
	c.consider(5, 0)
	equal(t, "no", []any{c.number, c.vote, c.promised, len(c.tried)}, []any{uint64(5), No, uint64(1), 0})
	c.Ended("b#0")
	c.Ended("c#0")
	c.Say("x", 0)
	equal(t, "yes", []any{c.number, c.vote, c.promised, len(c.tried)}, []any{uint64(5), Yes, uint64(5), 1})
	delete(c.ended, "b#0")
	c.consider(5, 0)
	equal(t, "it stays", c.vote, Yes)

	c = settled(t, "a", "b")
	c.Adopt(viewOf(11, "a"), nil, 0)
	c.consider(5, 0)
	equal(t, "half", []any{c.vote, c.promised, len(c.tried)}, []any{Half, uint64(5), 0})
	c.Ended("b#0")
	c.consider(0, 0)
	equal(t, "yes", c.vote, Yes)
	c.number, c.vote = 5, Half
	c.tried = []Primary{{Number: 5, Set: members("x", "y")}}
	c.consider(5, 0)
	equal(t, "a vote with a number is not taken back", c.vote, Half)
}

// Whether a vote may have counted for a primary: who votes as one that nobody can count, has
// left nobody out.
func TestVotesThatCount(t *testing.T) {
	c := solo()
	c.Adopt(viewOf(10, "a"), nil, 0)
	c.consider(0, 0)
	equal(t, "alone without a base", c.counted, false)
	c.Adopt(viewOf(11, "a", "b"), nil, 0)
	c.consider(0, 0)
	equal(t, "in company", c.counted, true)
	c = solo()
	c.Found()
	c.Adopt(viewOf(10, "a"), nil, 0)
	c.parted["x"] = 1
	c.consider(0, 0)
	equal(t, "as a founder", []any{c.counted, len(c.parted)}, []any{true, 0})
	c = settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a"), nil, 0)
	c.counted = false
	c.consider(0, 0)
	equal(t, "a no", []any{c.vote, c.counted, len(c.parted)}, []any{No, false, 2})
}

// Of the votes for one view the last is kept when there are too many.
func TestCompact(t *testing.T) {
	c := settled(t, "a", "b")
	c.Adopt(viewOf(11, "a", "b"), nil, 0)
	fill := func(view func(i int) uint64) {
		c.tried = nil
		for i := range maxTried {
			c.tried = append(c.tried, Primary{Number: uint64(10 + i), View: view(i), Set: members("a", "b")})
		}
		c.promised, c.number, c.vote = 100, 0, NoVote
	}
	fill(func(i int) uint64 { return uint64(20 + i%3) })
	c.consider(0, 0)
	var numbers []uint64
	for _, p := range c.tried {
		numbers = append(numbers, p.Number)
	}
	equal(t, "numbers", numbers, []uint64{71, 72, 73, 101})
	equal(t, "vote", c.vote, Yes)
	fill(func(i int) uint64 { return uint64(20 + i) })
	c.tried = c.tried[:maxTried-1]
	c.consider(0, 0)
	equal(t, "the last that has room", []any{c.vote, len(c.tried)}, []any{Yes, maxTried})
	fill(func(i int) uint64 { return uint64(20 + i) })
	c.consider(0, 0)
	equal(t, "no room", []any{c.vote, len(c.tried), c.promised}, []any{No, maxTried, uint64(100)})
}

// How a view settles: by the least of all votes with one number.
func TestHowAViewSettles(t *testing.T) {
	for name, x := range map[string]struct {
		b, c Vote
		want Mode
	}{
		"all yes":       {Yes, Yes, Settled},
		"one no":        {Yes, No, Minority},
		"one half":      {Half, Yes, HalfOfTwo},
		"half and no":   {Half, No, Minority},
		"no and half":   {No, Half, Minority},
		"nobody's word": {Yes, NoVote, Unsettled},
	} {
		c := solo()
		c.Found()
		c.Adopt(viewOf(10, "a", "b", "c"), nil, 0)
		c.take(c.of("b"), 0)
		c.take(c.of("c"), 0)
		c.take(c.votedBy("b", x.b), 0)
		equal(t, name+": before the last", c.Judge(0).Mode, Unsettled)
		c.take(c.votedBy("c", x.c), 0)
		v := c.Judge(0)
		equal(t, name, v.Mode, x.want)
		number := uint64(0)
		if x.want == Settled {
			number = 1
		}
		equal(t, name+": number", []any{v.Number, c.last.Number, c.served}, []any{number, number, x.want != Unsettled})
	}
	c := settled(t, "a", "b")
	c.Adopt(viewOf(11, "a", "b"), nil, 0)
	equal(t, "a view that has not settled has no number", c.Judge(0).Number, uint64(0))
	c = settled(t, "a", "b")
	equal(t, "what settled", c.last, Primary{Number: 1, View: 10, Set: members("a", "b")})
	equal(t, "what that ends", []any{len(c.tried), c.copied, c.founder, c.known}, []any{0, false, false, uint64(1)})
	c.number = 5
	c.heard["b#0"].number = 5
	c.Judge(0)
	equal(t, "it settles once", c.last.Number, uint64(1))
	c.Adopt(viewOf(11, "a", "b"), nil, 0)
	c.known = 9
	c.vote4(Yes, 0, "a", "b")
	equal(t, "above what is known", []any{c.Judge(0).Number, c.known}, []any{uint64(10), uint64(10)})
	c.Adopt(viewOf(12, "a", "b"), nil, 0)
	c.take(c.of("b"), 0)
	w := c.votedBy("b", Yes)
	w.Number += 3
	c.heard["b#0"].number, c.heard["b#0"].vote = w.Number, Yes
	equal(t, "votes with two numbers", c.Judge(0).Mode, Unsettled)
}

// Leaving members vote, and are not counted later.
func TestWhoLeavesIsNotInThePrimary(t *testing.T) {
	c := solo()
	c.Found()
	v := viewOf(10, "a", "b", "c")
	v.Members[2].Leaving = true
	c.Adopt(v, nil, 0)
	c.vote4(Yes, 0, "a", "b")
	equal(t, "without its vote", c.Judge(0).Mode, Unsettled)
	c.vote4(Yes, 0, "b", "c")
	equal(t, "with it", []any{c.Judge(0).Mode, names(c.last.Set)}, []any{Settled, "ab"})
}
