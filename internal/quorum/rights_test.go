package quorum

import "testing"

// A right lasts from when the question was sent that a strict majority said yes to.
func TestRightCountsFromTheQuestion(t *testing.T) {
	c := settled(t, "a", "b", "c", "d", "e")
	equal(t, "before anybody answered", c.Judge(0).Right, int64(0))
	c.asks("b", 100, 900, nil)
	equal(t, "two of five", c.Judge(900).Right, int64(0))
	c.asks("c", 200, 900, nil)
	equal(t, "three of five", c.Judge(900).Right, 100+right)
	c.asks("c", 150, 900, nil) // an answer that comes late takes nothing away
	equal(t, "a late answer", c.Judge(900).Right, 100+right)
	c.asks("d", 300, 900, nil)
	equal(t, "the latest that a majority said yes to", c.Judge(900).Right, 200+right)
}

// What gives no right: another view's answer, another number's, a no, one to a question
// from before the clock stood still.
func TestAnswersThatGiveNoRight(t *testing.T) {
	for name, answer := range map[string]func(w *Word){
		"another view":   func(w *Word) { w.View++ },
		"another number": func(w *Word) { w.Number-- },
		"no number":      func(w *Word) { w.Number = 0 },
		"no":             func(w *Word) { w.Vote = No },
		"half":           func(w *Word) { w.Vote = Half },
		"no vote":        func(w *Word) { w.Vote = NoVote },
		"not credible":   func(w *Word) { w.Known = 1 << 60 },
	} {
		c := settled(t, "a", "b", "c")
		c.asks("b", 100, 100, answer)
		equal(t, name, c.Judge(100).Right, int64(0))
	}
	c := settled(t, "a", "b", "c")
	q := c.Say("b#0", 100)
	a := c.votedBy("b", Yes)
	q.View++
	c.Answered("b#0", q, 100, a, 100)
	equal(t, "a question by another view", c.Judge(100).Right, int64(0))
	q.View, q.Number = c.view.ID, 0
	c.Answered("b#0", q, 100, a, 100)
	equal(t, "a question without a vote", c.Judge(100).Right, int64(0))
	stranger := a
	stranger.From = "x#0"
	stranger.Stands, q.Number, q.View = true, a.Number, a.View
	c.Answered("x#0", q, 100, stranger, 100)
	equal(t, "a stranger", c.Judge(100).Right, int64(0))
}

// A question without a vote, answered as one; by a former view; by a former primary.
func TestAnswersToFormerQuestions(t *testing.T) {
	c := settled(t, "a", "b", "c")
	q, a := c.Say("b#0", 100), c.votedBy("b", Yes)
	q.Number, a.Number = 0, 0
	c.Answered("b#0", q, 100, a, 100)
	equal(t, "without a vote", c.Judge(100).Right, int64(0))
	q, a = c.Say("b#0", 100), c.votedBy("b", Yes)
	c.Adopt(viewOf(11, "a", "b", "c"), nil, 150)
	c.Answered("b#0", q, 100, a, 200)
	equal(t, "by a former view", c.heard["b#0"].confirmed, int64(0))
	c = settled(t, "a", "b", "c")
	q, a = c.Say("b#0", 100), c.of("b")
	a.Stands, a.Last, a.LastView = true, q.Last, q.LastView
	c.last.Number++
	c.Answered("b#0", q, 100, a, 100)
	equal(t, "by a former primary", c.heard["b#0"].stood, int64(0))
	c.last.Number--
	c.Answered("b#0", q, 100, a, 100)
	c.Answered("b#0", q, 90, a, 100)
	equal(t, "who stands by a primary gives a right by it, from the latest question", []any{c.heard["b#0"].stood, c.Judge(100).Right},
		[]any{int64(100), 100 + right})
}

// A right never shrinks by an answer.
func TestRightsDoNotShrink(t *testing.T) {
	c := settled(t, "a", "b")
	c.right = 9 * right
	c.asks("b", 100, 100, nil)
	equal(t, "settled", c.Judge(100).Right, 9*right)
	c.Adopt(viewOf(11, "a", "b", "c"), nil, 8*right)
	c.heard["b#0"].stood = 100
	equal(t, "unsettled", c.Judge(100).Right, 9*right)
	c = settled(t, "a", "b", "c", "d", "e")
	c.next(11, No, 100, "a", "b")
	c.limited = 9 * right
	c.asks("b", 100, 100, nil)
	equal(t, "as a minority", c.Judge(100).Limited, 9*right)
	// And who is alone while it hands over gets none that lasts for ever.
	c = settled(t, "a")
	c.Adopt(viewOf(11, "a"), nil, 50)
	c.Hand(true)
	c.right = 50
	v := c.Judge(100)
	equal(t, "alone, and not settled", []any{v.Mode, v.Right}, []any{Unsettled, int64(50)})
}

// More of whom yes is a promise to: who asks with a lower number, by half a base, or by the
// primary though its vote is another.
func TestYesToOthersNumbers(t *testing.T) {
	asks := func(c *Core, name string, number uint64) int64 {
		w := c.votedBy(name, Yes)
		w.Number, w.RightFor = number, right
		delete(c.waits, name+"#0")
		c.Asked(w, 100)
		return max(c.waits[name+"#0"], 100) - 100
	}
	c := settled(t, "a", "b")
	c.consider(5, 0)
	equal(t, "a lower number", asks(c, "b", 3), int64(0))
	c = settled(t, "a", "b")
	c.Adopt(viewOf(11, "a", "x"), nil, 0)
	c.take(c.of("x"), 0)
	equal(t, "half a base", []any{c.vote, asks(c, "x", c.number)}, []any{Half, drift(right)})
	c = solo()
	c.Found()
	c.promised = 4
	c.Adopt(viewOf(10, "a", "b"), nil, 0)
	c.vote4(Yes, 0, "a", "b")
	c.Judge(0)
	w := c.votedBy("b", Yes)
	w.Number, w.Last, w.LastView = 3, 5, 10
	delete(c.waits, "b#0")
	c.Asked(w, 100)
	equal(t, "by the primary", c.waits["b#0"], 100+drift(right))
}

// A suspension: the member has no right, and only what it asks from then on gives one.
func TestSuspension(t *testing.T) {
	c := settled(t, "a", "b", "c")
	c.asks("b", 100, 100, nil)
	c.asks("c", 100, 100, func(w *Word) { w.Stands = true })
	q, a := c.Say("b#0", 400), c.votedBy("b", Yes)
	c.Wake(500)
	equal(t, "on waking", c.Judge(500).Right, int64(0))
	c.Answered("b#0", q, 400, a, 600)
	equal(t, "asked before", c.Judge(600).Right, int64(0))
	c.Answered("b#0", q, 500, a, 600)
	equal(t, "asked since", c.Judge(600).Right, 500+right)

	c = settled(t, "a", "b")
	c.limited = 900
	c.Wake(500)
	equal(t, "as a minority", c.Judge(500).Limited, int64(0))
}

// While the next view is agreed on, the right goes on by the primary before, as long as a
// majority of that stands by it.
func TestRightWhileTheNextViewIsAgreedOn(t *testing.T) {
	stands := func(c *Core) func(w *Word) {
		return func(w *Word) {
			w.Number, w.Vote, w.Stands, w.Last, w.LastView = 0, NoVote, true, c.last.Number, c.last.View
		}
	}
	c := settled(t, "a", "b", "c")
	c.Adopt(viewOf(11, "a", "b", "c", "d"), nil, 50)
	c.Hand(true)
	c.asks("d", 60, 60, stands(c)) // not of the primary
	equal(t, "a newcomer", c.Judge(60).Right, int64(0))
	c.asks("b", 100, 100, stands(c))
	equal(t, "a majority stands", c.Judge(100).Right, 100+right)
	c.asks("b", 90, 110, stands(c))
	equal(t, "a late answer", c.Judge(110).Right, 100+right)
	for name, spoil := range map[string]func(w *Word){
		"it does not stand":    func(w *Word) { w.Stands = false },
		"by another number":    func(w *Word) { w.Last-- },
		"by another primary":   func(w *Word) { w.LastView++ },
		"it voted, and stands": nil,
	} {
		c := settled(t, "a", "b", "c")
		c.Adopt(viewOf(11, "a", "b", "c", "d"), nil, 50)
		c.Hand(true)
		c.asks("b", 100, 100, func(w *Word) {
			if stands(c)(w); spoil != nil {
				spoil(w)
			}
		})
		want := int64(0)
		if spoil == nil {
			want = 100 + right
		}
		equal(t, name, c.Judge(100).Right, want)
	}
	q := c.Say("b#0", 200)
	q.Last++
	a := c.of("b")
	stands(c)(&a)
	c.Answered("b#0", q, 200, a, 200)
	q.Last--
	q.LastView++
	c.Answered("b#0", q, 200, a, 200)
	equal(t, "asked by another primary", c.Judge(200).Right, 100+right)
	c.Hand(false)
	for _, name := range []string{"b", "c", "d"} {
		c.Asked(c.of(name), 300) // it votes
	}
	equal(t, "it has voted", len(c.tried), 1)
	c.asks("b", 300, 300, stands(c))
	equal(t, "who voted for another view stands no more", c.Judge(300).Right, 100+right)
}

// To say yes is to promise: the asker may act for its whole right, however slow our clock.
func TestYesIsAPromise(t *testing.T) {
	question := func(c *Core) Word { w := c.votedBy("b", Yes); w.RightFor = 64_000; return w }
	until := int64(100 + 64_000 + 1000)
	for name, c := range map[string]struct {
		change func(c *Core, w *Word)
		want   int64
	}{
		"to our view and vote":  {func(*Core, *Word) {}, until},
		"what lasts longer":     {func(c *Core, _ *Word) { c.waits["b#0"] = until + 5 }, until + 5},
		"another number":        {func(_ *Core, w *Word) { w.Number-- }, 100},
		"another view":          {func(_ *Core, w *Word) { w.View++ }, 100},
		"no number":             {func(_ *Core, w *Word) { w.Number = 0 }, 100},
		"it may act yet":        {func(_ *Core, w *Word) { w.Number, w.RightLeft = 0, 6400 }, 100 + 6400 + 100},
		"we said half":          {func(c *Core, _ *Word) { c.vote = Half }, until},
		"we stand by a primary": {func(c *Core, w *Word) { w.View, w.Last, w.LastView = 99, c.last.Number, c.last.View }, until},
		"by another number":     {func(c *Core, w *Word) { w.View, w.Last, w.LastView = 99, c.last.Number+1, c.last.View }, 100},
		"by another primary":    {func(c *Core, w *Word) { w.View, w.Last, w.LastView = 99, c.last.Number, 98 }, 100},
		"by none of our own":    {func(c *Core, w *Word) { c.copied, w.View, w.Last, w.LastView = true, 99, c.last.Number, c.last.View }, 100},
		"that we left": {func(c *Core, w *Word) {
			c.tried, w.View, w.Last, w.LastView = []Primary{{Number: 9}}, 99, c.last.Number, c.last.View
		}, 100},
		"a minority stands by nothing": {func(c *Core, w *Word) { c.mode, w.View, w.Last, w.LastView = Minority, 99, c.last.Number, c.last.View }, 100},
		"nor does a half":              {func(c *Core, w *Word) { c.mode, w.View, w.Last, w.LastView = HalfOfTwo, 99, c.last.Number, c.last.View }, 100},
		"nor who was one until later":  {func(c *Core, w *Word) { c.limited, w.View, w.Last, w.LastView = 101, 99, c.last.Number, c.last.View }, 100},
		"who was one until now does":   {func(c *Core, w *Word) { c.limited, w.View, w.Last, w.LastView = 100, 99, c.last.Number, c.last.View }, until},
	} {
		core := settled(t, "a", "b", "c")
		w := question(core)
		delete(core.waits, "b#0")
		c.change(core, &w)
		core.Asked(w, 100)
		equal(t, name, max(core.waits["b#0"], 100), c.want)
	}
	c := settled(t, "a", "b", "c", "d", "e")
	c.next(11, No, 0, "a", "b")
	delete(c.waits, "b#0")
	c.Asked(question(c), 100)
	equal(t, "we said no", c.waits["b#0"], int64(100)) // for what it may do alone: nothing
	c = settled(t, "a", "b", "c")
	w := question(c)
	w.From = "x#0"
	c.Asked(w, 100)
	equal(t, "to a stranger", c.waits["x#0"], int64(0))
}
