package quorum

import "testing"

// Company ends the right of whoever was alone, within one right.
func TestCompanyEndsForever(t *testing.T) {
	c := settled(t, "a")
	equal(t, "alone", c.Judge(0).Right, Forever)
	c.limited = Forever
	c.Adopt(viewOf(11, "a", "b"), nil, 100)
	equal(t, "in company", c.right, 100+right)
	equal(t, "in company, as a minority", c.limited, 100+right)
	c = settled(t, "a", "b")
	c.right, c.limited = 50, 60
	c.Adopt(viewOf(11, "a", "b", "c"), nil, 100)
	equal(t, "what ends sooner", [2]int64{c.right, c.limited}, [2]int64{50, 60})
	c = settled(t, "a", "b")
	c.right = Forever
	c.Adopt(viewOf(11, "a"), nil, 100)
	equal(t, "alone still", c.right, Forever)
}

// A minority answers for as long as all of its view confirmed.
func TestMinorityNeedsAllOfItsView(t *testing.T) {
	c := settled(t, "a", "b", "c", "d", "e", "f", "g")
	v := c.next(11, No, 100, "a", "b", "c")
	equal(t, "the mode", v.Mode, Minority)
	equal(t, "nobody was asked", v.Limited, int64(0))
	yes := func(w *Word) { w.Vote = No }
	c.asks("b", 200, 300, yes)
	equal(t, "one of two", c.Judge(300).Limited, int64(0))
	c.asks("c", 250, 300, yes)
	equal(t, "both", c.Judge(300).Limited, 200+right)
	c.asks("b", 400, 400, func(w *Word) { w.Vote = NoVote })
	c.asks("b", 150, 400, yes)
	equal(t, "no vote, and a late one", c.Judge(400).Limited, 200+right)
	v = c.next(12, Yes, 500, "a", "b", "c", "d")
	equal(t, "a majority again", [2]any{v.Mode, v.Limited}, [2]any{Settled, int64(0)})
}

// How long a member may act is what others wait for: no more than a right in company.
func TestWhatOthersWaitFor(t *testing.T) {
	c := settled(t, "a", "b", "c")
	for _, x := range []struct{ right, limited, want int64 }{
		{0, 0, 0}, {50, 60, 0}, {150, 0, 50}, {0, 170, 70}, {150, 170, 70}, {180, 170, 80},
		{100 + right, 0, right}, {101 + right, 0, right}, {Forever, 0, right},
	} {
		c.right, c.limited = x.right, x.limited
		equal(t, "right left", c.Say("b#0", 100).RightLeft, x.want)
	}
	c.waits["z#0"], c.passed = 500, 300
	c.waits["b#0"], c.waits["a#0"] = 900, 900 // these are in the view
	equal(t, "waits left", c.Say("b#0", 100).WaitsLeft, int64(400))
	equal(t, "keys are owned from", c.Judge(100).OwnFrom, int64(500))
	c.passed = 600
	equal(t, "waits left, as others said", c.Say("b#0", 100).WaitsLeft, int64(500))
	equal(t, "waits that are over", c.Say("b#0", 700).WaitsLeft, int64(0))
}
