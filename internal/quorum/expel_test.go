package quorum

import (
	"fmt"
	"testing"
)

// stuck has the named say that they cannot reach a member.
func (c *Core) stuck(id string, now int64, by ...string) {
	for _, name := range by {
		if name == "a" {
			c.Unreached(id, now-c.cfg.Unreachable)
			continue
		}
		h := c.heard[name+"#0"]
		h.unreachable, h.reported = append(h.unreachable, id), now
	}
}

func TestWhomToExpel(t *testing.T) {
	now := 10 * second
	five := []string{"a", "b", "c", "d", "e"}
	for name, x := range map[string]struct {
		change func(c *Core)
		want   string
	}{
		"nobody":              {func(*Core) {}, ""},
		"two of five":         {func(c *Core) { c.stuck("e#0", now, "a", "b") }, ""},
		"three of five":       {func(c *Core) { c.stuck("e#0", now, "a", "b", "c") }, "e"},
		"without us":          {func(c *Core) { c.stuck("e#0", now, "b", "c", "d") }, "e"},
		"whom the most miss":  {func(c *Core) { c.stuck("d#0", now, "a", "b", "c"); c.stuck("e#0", now, "a", "b", "c", "d") }, "e"},
		"in whatever order":   {func(c *Core) { c.stuck("e#0", now, "a", "b", "c"); c.stuck("d#0", now, "a", "b", "c", "e") }, "d"},
		"the first of equals": {func(c *Core) { c.stuck("e#0", now, "a", "b", "c"); c.stuck("d#0", now, "a", "b", "c") }, "d"},
		"never ourselves":     {func(c *Core) { c.stuck("a#0", now, "b", "c", "d", "e") }, ""},
		"not below a majority": {func(c *Core) {
			c.expelled[c.view.Members[1].key()], c.expelled[c.view.Members[2].key()] = member("b"), member("c")
			c.stuck("e#0", now, "a", "b", "c")
		}, ""},
		"one was put out":      {func(c *Core) { c.expelled[c.view.Members[1].key()] = member("b"); c.stuck("e#0", now, "a", "b", "c") }, "e"},
		"what was said":        {func(c *Core) { c.stuck("e#0", now-2*c.cfg.Unreachable+1, "b", "c", "d") }, "e"},
		"what was said once":   {func(c *Core) { c.stuck("e#0", now-2*c.cfg.Unreachable, "b", "c", "d") }, ""},
		"who is not a voter":   {func(c *Core) { c.last.Set = members("a", "b", "c", "x", "y"); c.stuck("e#0", now, "a", "b", "d") }, ""},
		"voters by a copy":     {func(c *Core) { c.last.Set, c.copied = members("x"), true; c.stuck("e#0", now, "a", "b", "c") }, "e"},
		"voters by no base":    {func(c *Core) { c.last = Primary{Set: members("x")}; c.stuck("e#0", now, "a", "b", "c") }, "e"},
		"no longer in the way": {func(c *Core) { c.stuck("e#0", now, "a", "b", "c"); c.Reached("e#0") }, ""},
	} {
		c := settled(t, five...)
		x.change(c)
		m, ok := c.Expel(now)
		equal(t, name, []any{m.Name, ok, c.IsExpelled(member("e")) || c.IsExpelled(member("d"))}, []any{x.want, x.want != "", x.want != ""})
		if x.want == "" {
			delete(c.expelled, c.view.Members[1].key())
			delete(c.expelled, c.view.Members[2].key())
			equal(t, name+": nobody", len(c.expelled), 0)
		}
	}
	c := settled(t, "a", "b", "c", "d")
	c.stuck("d#0", now, "a", "b")
	m, ok := c.Expel(now)
	equal(t, "half of four", []any{m.Name, ok}, []any{"", false})
	c.stuck("d#0", now, "c")
	c.expelled["b#0/0"] = member("b")
	m, ok = c.Expel(now)
	equal(t, "half of four would be left", []any{m.Name, ok}, []any{"", false})
	c = settled(t, "a")
	c.Adopt(viewOf(11, "a", "b"), nil, 0)
	c.stuck("b#0", now, "a")
	m, ok = c.Expel(now)
	equal(t, "a primary of one", []any{m.Name, ok}, []any{"b", true})
}

// What cannot be reached counts after a while, from when it was first noted, in the view.
func TestUnreached(t *testing.T) {
	c := settled(t, "a", "b", "c")
	c.Unreached("b#0", 100)
	c.Unreached("b#0", 200)
	c.Unreached("x#0", 100)
	equal(t, "since", c.UnreachedSince(), map[string]int64{"b#0": 100})
	c.UnreachedSince()["b#0"] = 5
	equal(t, "a copy", c.UnreachedSince(), map[string]int64{"b#0": 100})
	equal(t, "too early", c.unreachable(99+2*second), []string(nil))
	equal(t, "long enough", c.unreachable(100+2*second), []string{"b#0"})
	c.Unreached("c#0", 100)
	c.Adopt(viewOf(11, "a", "b"), nil, 0)
	equal(t, "who is not in the view", c.UnreachedSince(), map[string]int64{"b#0": 100})
	c.Reached("b#0")
	equal(t, "reached", len(c.UnreachedSince()), 0)
}

// Everyone is asked when there is news of whom this member cannot reach, once for each.
func TestReport(t *testing.T) {
	c := settled(t, "a", "b", "c", "d")
	c.Urgent()
	equal(t, "nobody", c.Report(0), int64(0))
	c.Unreached("b#0", 100)
	c.Unreached("c#0", 300)
	for now, want := range map[int64]int64{300: 2*second - 200, 99 + 2*second: 1} {
		equal(t, "the next is due in", []any{c.Report(now), c.Urgent()}, []any{want, false})
	}
	equal(t, "one is due", []any{c.Report(100 + 2*second), c.Urgent(), c.heard["d#0"].urgent}, []any{int64(200), true, true})
	equal(t, "it was said", []any{c.Report(200 + 2*second), c.Urgent()}, []any{int64(100), false})
	equal(t, "the other", []any{c.Report(300 + 2*second), c.Urgent()}, []any{int64(0), true})
	equal(t, "both were said", []any{c.Report(900 * second), c.Urgent()}, []any{int64(0), false})
	c.Reached("b#0")
	c.Report(0)
	c.Unreached("b#0", 0)
	equal(t, "again after it was reached", []any{c.Report(900 * second), c.Urgent()}, []any{int64(0), true})
}

// An expulsion is followed that a voter tells of, of a member of the view that is neither
// this one nor the teller, as long as a majority remains.
func TestFollowExpulsions(t *testing.T) {
	for name, x := range map[string]struct {
		change func(c *Core, w *Word)
		want   []string
	}{
		"one":             {func(_ *Core, w *Word) { w.Expelled = []string{"e#0/0"} }, []string{"e#0/0"}},
		"another life":    {func(_ *Core, w *Word) { w.Expelled = []string{"e#0/1"} }, nil},
		"two":             {func(_ *Core, w *Word) { w.Expelled = []string{"e#0/0", "d#0/0"} }, []string{"d#0/0", "e#0/0"}},
		"no majority":     {func(_ *Core, w *Word) { w.Expelled = []string{"e#0/0", "d#0/0", "c#0/0"} }, []string{"c#0/0", "d#0/0"}},
		"the teller":      {func(_ *Core, w *Word) { w.Expelled = []string{"b#0/0"} }, nil},
		"us":              {func(_ *Core, w *Word) { w.Expelled = []string{"a#0/0"} }, nil},
		"a stranger":      {func(_ *Core, w *Word) { w.Expelled = []string{"x#0/0"} }, nil},
		"by no voter":     {func(c *Core, w *Word) { c.last.Set = members("a", "c", "d"); w.Expelled = []string{"e#0/0"} }, nil},
		"by another view": {func(_ *Core, w *Word) { w.View++; w.Expelled = []string{"e#0/0"} }, []string{"e#0/0"}},
	} {
		c := settled(t, "a", "b", "c", "d", "e")
		w := c.of("b")
		x.change(c, &w)
		c.Asked(w, 0)
		equal(t, name, keys(c.expelled), x.want)
		expelled, self := c.TakeNews()
		equal(t, name+": news", []bool{expelled, self}, []bool{x.want != nil, name == "us"})
		c.Asked(w, 0)
		expelled, self = c.TakeNews()
		if name != "no majority" {
			equal(t, name+": news once", []bool{expelled, self}, []bool{false, name == "us"})
		}
	}
}

func TestExpelledAndBack(t *testing.T) {
	c := settled(t, "a", "b", "c", "d", "e")
	again := member("d")
	again.Life = 1
	for _, m := range []Member{member("e"), member("d"), member("c")} {
		c.expelled[m.key()] = m
	}
	equal(t, "sorted", names(c.Expelled()), "cde")
	c.Readmit([]Member{member("a"), member("c"), again})
	equal(t, "another life, or none", names(c.Expelled()), "c")
	equal(t, "expelled", []bool{c.IsExpelled(member("c")), c.IsExpelled(again)}, []bool{true, false})
	equal(t, "in words", fmt.Sprint(Unsettled, Minority, HalfOfTwo, Settled), "unsettled minority half majority")
}
