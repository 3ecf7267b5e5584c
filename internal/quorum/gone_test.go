package quorum

import (
	"fmt"
	"testing"
)

// Who is gone may hold copies that this member granted until now, and may act for as long as
// is known; unless it left.
func TestWaitsForWhoIsGone(t *testing.T) {
	const leased = lease + lease/64
	gone := func(change func(c *Core) []string) *Core {
		c := settled(t, "a", "b", "c")
		clear(c.waits)
		clean := change(c)
		c.Adopt(viewOf(11, "a", "b"), clean, 100)
		return c
	}
	c := gone(func(*Core) []string { return nil })
	equal(t, "crashed", c.waits, map[string]int64{"c#0": 100 + leased})
	equal(t, "crashed", c.waitsUntil(c.elsewhere), 100+leased)
	c = gone(func(c *Core) []string { c.waits["c#0"] = 200 + leased; return nil })
	equal(t, "it may act for longer", c.waits["c#0"], 200+leased)
	c = gone(func(c *Core) []string { c.waits["c#0"] = 900; return []string{"c#0"} })
	equal(t, "left", keys(c.waits), []string(nil))
	equal(t, "left", keys(c.ended), []string{"c#0"})
	c = gone(func(c *Core) []string { c.view.Members[2].Leaving = true; c.waits["c#0"] = 900; return nil })
	equal(t, "was leaving", c.waits, map[string]int64{"c#0": 900})
	c = gone(func(c *Core) []string { c.Ended("c#0"); return nil })
	equal(t, "had ended", keys(c.waits), []string(nil))
	// What is over is kept as a time alone, which only grows.
	c = gone(func(c *Core) []string { c.waits["x#0"], c.waits["y#0"], c.waits["z#0"] = 40, 100, 101; return nil })
	equal(t, "waits", keys(c.waits), []string{"c#0", "z#0"})
	equal(t, "passed", c.passed, int64(100))
	c = gone(func(c *Core) []string { c.waits["x#0"], c.passed = 40, 70; return nil })
	equal(t, "passed before", c.passed, int64(70))
	// This member does not wait for itself.
	c = settled(t, "a", "b")
	c.Adopt(viewOf(11, "b"), nil, 100)
	equal(t, "itself", c.waits["a#0"], int64(0))
}

// Waits are bounded; what does not fit is waited for all the same.
func TestBoundOfWaits(t *testing.T) {
	for extra := range 2 {
		c := settled(t, "a", "b")
		clear(c.waits)
		for i := range maxWaits + extra {
			c.waits[fmt.Sprint(i)] = 1000
		}
		c.Adopt(viewOf(11, "a", "b", "c"), nil, 100)
		equal(t, "waits", len(c.waits), maxWaits)
		equal(t, "passed", c.passed, int64(1000*extra))
		equal(t, "until", c.waitsUntil(c.elsewhere), int64(1000))
	}
}

// Who misses whom, since when, and who is over because another run has its name or address.
func TestMissing(t *testing.T) {
	c := settled(t, "a", "b", "c", "d")
	c.Adopt(viewOf(11, "a", "b"), nil, 100)
	c.Adopt(viewOf(12, "a"), nil, 200)
	equal(t, "missing", c.missing, map[string]int64{"b#0": 200, "c#0": 100, "d#0": 100})
	c.Ended("c#0")
	c.Forget("d#0")
	c.Adopt(viewOf(13, "a", "c", "d"), nil, 300)
	equal(t, "missing", c.missing, map[string]int64{"b#0": 200})
	equal(t, "ended, forgotten", len(c.ended)+len(c.forgotten), 0)

	for name, x := range map[string]struct {
		other        Member
		over, waited bool
	}{
		"another":      {Member{ID: "x#0", Name: "x", Addr: "x:1"}, false, true},
		"its name":     {Member{ID: "b#1", Name: "b", Addr: "b:2"}, true, true},
		"its address":  {Member{ID: "x#0", Name: "x", Addr: "b:1"}, true, true},
		"both of them": {Member{ID: "b#1", Name: "b", Addr: "b:1"}, true, false},
	} {
		c := settled(t, "a", "b", "c")
		c.waits["b#0"] = 900 * second
		v := viewOf(11, "a", "c")
		v.Members = append(v.Members, x.other)
		c.Adopt(v, nil, 100)
		_, over := c.ended["b#0"]
		_, waited := c.waits["b#0"]
		equal(t, name, [2]bool{over, waited}, [2]bool{x.over, x.waited})
	}
}

// What is known of runs that no base names is dropped when a view settles, or is too much.
func TestWhatIsKnownOfRunsIsBounded(t *testing.T) {
	fill := func(n int) *Core {
		c := settled(t, "a", "b", "c")
		c.Adopt(viewOf(11, "a", "b"), nil, 0)
		for i := range n {
			c.Ended(fmt.Sprint(i))
		}
		c.Ended("c#0")
		return c
	}
	for extra, want := range map[int]int{-1: maxWaits, 0: 1} {
		c := fill(maxWaits + extra)
		c.Forget("x")
		c.missing["x"] = 1
		c.Adopt(viewOf(12, "a"), nil, 0)
		equal(t, "ended", len(c.ended), want)
		if extra == 0 {
			equal(t, "forgotten, missing", [2]any{len(c.forgotten), keys(c.missing)}, [2]any{0, []string{"b#0", "c#0"}})
		}
	}
	c := fill(5)
	c.Forget("x")
	c.missing["x"] = 1
	equal(t, "mode", c.next(12, Yes, 0, "a", "b").Mode, Settled)
	equal(t, "after settling", len(c.ended)+len(c.forgotten)+len(c.missing), 0)
	for i := range 2 * maxWaits {
		c.Forget(fmt.Sprint(i))
	}
	equal(t, "forgotten", len(c.forgotten), maxWaits)
}

// A member is released when it is over, forgotten, or missing for long from a view as large.
func TestReleased(t *testing.T) {
	for name, x := range map[string]struct {
		change func(c *Core)
		want   bool
	}{
		"nobody":          {func(*Core) {}, false},
		"one of two":      {func(c *Core) { c.Ended("b#0") }, false},
		"both ended":      {func(c *Core) { c.Ended("b#0"); c.Ended("c#0") }, true},
		"or forgotten":    {func(c *Core) { c.Forget("b#0"); c.Ended("c#0") }, true},
		"missing":         {func(c *Core) { c.missing["b#0"], c.missing["c#0"] = 100*second, 100*second }, true},
		"not long enough": {func(c *Core) { c.missing["b#0"], c.missing["c#0"] = 100*second, 100*second+1 }, false},
		"by no option":    {func(c *Core) { c.cfg.ForgetAfter = 0; c.missing["b#0"], c.missing["c#0"] = 0, 0 }, false},
		"too small a view": {func(c *Core) {
			c.missing["b#0"], c.missing["c#0"] = 0, 0
			c.view.Members = c.view.Members[:2]
		}, false},
	} {
		c := settled(t, "a", "b", "c")
		c.Adopt(viewOf(11, "a", "x", "y"), nil, 0)
		clear(c.missing)
		x.change(c)
		equal(t, name, c.released(c.last.Set, 200*second), x.want)
	}
	equal(t, "of nothing", solo().released(nil, 0), false)
}

// For whom a minority waits: those of its bases, once each, that could change it.
func TestWaitsFor(t *testing.T) {
	c := settled(t, "a", "b", "c", "d", "e")
	equal(t, "a majority", names(c.WaitsFor(0)), "")
	c.Adopt(viewOf(11, "a", "b", "c"), nil, 0)
	equal(t, "a majority without some", names(c.WaitsFor(0)), "")
	c.next(11, No, 0, "a", "b")
	equal(t, "a minority", names(c.WaitsFor(0)), "cde")
	c.Ended("d#0")
	equal(t, "one has ended", names(c.WaitsFor(0)), "ce")
	c.tried = append(c.tried, Primary{Number: 9, Set: members("a", "e", "f", "g", "h")})
	equal(t, "two bases", names(c.WaitsFor(0)), "cefgh")
	c.tried[0].Number = 0
	equal(t, "a base that counts for nothing", names(c.WaitsFor(0)), "ce")
	c.tried[0].Number = c.last.Number
	equal(t, "of the same number", names(c.WaitsFor(0)), "cefgh")
	c.known = 7
	equal(t, "a base that is void", names(c.WaitsFor(0)), "")
	c.tried[0].Number = 7
	equal(t, "the newest that is known", names(c.WaitsFor(0)), "efgh")
}
