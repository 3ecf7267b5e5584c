//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package settle

import (
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/membership"
)

func (r *rig) port(addr string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dial[addr] = err; err == nil {
		delete(r.dial, addr)
	}
}

// A member whose address refuses connections three times in a row is over; one that cannot be
// reached is not.
func TestRefusalsAreEvidence(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b c")
		r.runs()
		r.pass(time.Second)
		r.adopt("a")
		r.port("b:1", refused)
		r.port("c:1", errors.New("timed out"))
		r.pass(20 * time.Second)
		r.is("one may live", true, view.AsMinority)
		equal(t, "log", []int{r.says("its address refuses connections"), r.says("peer=b ")}, []int{1, 1})
		r.port("c:1", refused)
		r.pass(2 * time.Second)
		r.port("c:1", nil) // it was a moment
		r.pass(time.Second)
		r.port("c:1", refused)
		r.pass(2 * time.Second)
		r.is("not in a row", true, view.AsMinority)
		r.pass(2 * time.Second)
		r.is("all are over", true, view.ByMajority)
		equal(t, "log", r.says("peer=c "), 1)
		r.mu.Lock()
		before := r.dialled
		r.mu.Unlock()
		r.pass(10 * time.Second)
		equal(t, "nobody looks any more", r.dialled, before)
	})
}

// Evidence is sought once a second, by one at a time.
func TestEvidenceIsSoughtNowAndThen(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b")
		r.runs()
		r.pass(time.Second)
		r.adopt("a")
		r.port("b:1", errors.New("timed out"))
		r.pass(5 * time.Second)
		r.mu.Lock()
		before := r.dialled
		r.mu.Unlock()
		for range 10 {
			r.pass(seekEvery)
			r.Poke()
		}
		equal(t, "looks", r.dialled-before, 10)
		equal(t, "looks of more than one at a time", r.unheld, 0)
		r.evidence.seeking.Store(true)
		r.pass(3 * time.Second)
		equal(t, "one looks already", r.dialled-before, 10)
		r.evidence.seeking.Store(false)
		r.evidence.refused["x"], r.evidence.silent["x"] = 2, 1
		r.adopt("a b")
		r.pass(3 * time.Second)
		equal(t, "old refusals do not count later", len(r.evidence.refused)+len(r.evidence.silent), 0)
	})
}

// A node that is told of others founds a mesh when none of them can be in one.
func TestFounding(t *testing.T) {
	b := gossiped("b")
	seed := func(addr string, m *membership.Member) membership.Seed {
		return membership.Seed{Name: "s", Addr: addr, Member: m}
	}
	refusing := func(r *rig) { r.port("x:1", refused) }
	for name, x := range map[string]struct {
		seeds  []membership.Seed
		change func(r *rig)
		may    bool // MayFound
		at     time.Duration
	}{
		"told of nobody":             {nil, nil, false, 0},
		"a name without an address":  {[]membership.Seed{{Name: "s", Missing: true}}, nil, false, testJoin},
		"it refuses":                 {[]membership.Seed{seed("x:1", nil)}, refusing, false, testJoin},
		"it may live":                {[]membership.Seed{seed("x:1", nil)}, nil, false, -1},
		"it need not be waited for":  {[]membership.Seed{seed("x:1", nil)}, nil, true, testJoin},
		"a member without a mesh":    {[]membership.Seed{seed("b:1", &b)}, nil, false, 0},
		"a member that is not there": {[]membership.Seed{seed("y:1", &membership.Member{Name: "y", Boot: 1})}, nil, true, -1},
		"a member of a mesh": {[]membership.Seed{seed("b:1", &b)}, func(r *rig) {
			r.others["b"].lie = func(w *quorum.Word) { w.Last, w.LastView = 5, 5 }
		}, false, -1},
		"one refuses and one may live": {[]membership.Seed{seed("x:1", nil), seed("y:1", nil)}, refusing, false, -1},
		"one may live and one refuses": {[]membership.Seed{seed("y:1", nil), seed("x:1", nil)}, refusing, false, -1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *Options) { o.Alone, o.MayFound = false, x.may }, func(r *rig) {
				r.seeds = x.seeds
				r.Gossip(r)
				r.other("b")
				if x.change != nil {
					x.change(r)
				}
				r.GiveUp()
				r.NoteSilent()
				r.adopt("a b")
				r.runs()
				founder := func() (is bool) {
					r.mandate.judge(func(c *quorum.Core, _ int64) { is = c.HasBase() })
					return is || r.state.Phase() == view.ByMajority && r.state.View().Settled()
				}
				if x.at > 0 {
					r.pass(x.at - 500*ms)
					equal(t, "too early", founder(), false)
					r.pass(1600 * ms)
				} else {
					r.pass(2 * testJoin)
				}
				equal(t, "founder", founder(), x.at >= 0)
			})
		})
	}
}

// Silence counts anew when an address that refused has answered.
func TestSilenceCountsAnew(t *testing.T) {
	inBubble(t, func(o *Options) { o.Alone = false }, func(r *rig) {
		r.seeds = []membership.Seed{{Name: "s", Addr: "x:1"}}
		r.Gossip(r)
		founder := func() (is bool) {
			r.mandate.judge(func(c *quorum.Core, _ int64) { is = c.HasBase() })
			return is
		}
		look := func(err error) { r.port("x:1", err); r.evidence.mayFound(nil) }
		look(refused)
		r.pass(testJoin - time.Second)
		look(nil)
		look(refused)
		r.pass(testJoin - ms)
		look(refused)
		equal(t, "not long enough", founder(), false)
		r.pass(ms)
		look(refused)
		equal(t, "long enough", founder(), true)
	})
	inBubble(t, func(o *Options) { o.Alone = false }, func(r *rig) {
		r.NoteSilent()
		equal(t, "before it gossips", len(r.evidence.silent), 0)
	})
}

// While a mesh may be founded its users wait for it: looks begin soon after each other.
func TestLooksBeforeFounding(t *testing.T) {
	inBubble(t, func(o *Options) { o.Alone = false }, func(r *rig) {
		r.seeds = []membership.Seed{{Name: "s", Addr: "x:1"}}
		r.Gossip(r)
		r.port("x:1", refused)
		r.adopt("a b")
		r.runs()
		r.pass(time.Second - ms)
		first := r.dialled // at 0, 10, 30, 70, 150, 310, 630 ms
		r.pass(10*time.Second + ms)
		if first < 5 || first > 8 {
			t.Errorf("%d looks in the first second", first)
		}
		if founded := r.dialled - first; founded > 6 {
			t.Errorf("%d looks after that", founded)
		}
		r.mu.Lock()
		r.others["b"].down = true
		before := r.dialled
		r.mu.Unlock()
		r.adopt("a b c")
		r.pass(2 * time.Second)
		r.is("a view that is not agreed on", false, view.ByMajority)
		equal(t, "looks of a mesh that was founded before", r.dialled, before)
	})
}

// Three refusals are evidence, and what follows is counted anew; a port that is open is closed
// again by who looked.
func TestThreeRefusals(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		b := []quorum.Member{quorumMember(gossiped("b"))}
		r.port("b:1", refused)
		for n := 1; n <= 7; n++ {
			r.evidence.probeMissing(b)
			equal(t, "said", r.says("peer=b "), n/3)
		}
		r.port("b:1", nil)
		equal(t, "refuses", r.evidence.refuses("b:1"), false)
		if _, err := r.far.Write([]byte("x")); err == nil {
			t.Error("the connection is left open")
		}
	})
}

// Silence counts from when it was noted first, before there is a view.
func TestSilenceBeforeTheStart(t *testing.T) {
	inBubble(t, func(o *Options) { o.Alone = false }, func(r *rig) {
		r.seeds = []membership.Seed{{Name: "s", Addr: "x:1"}}
		r.port("x:1", refused)
		r.Gossip(r)
		r.NoteSilent()
		r.pass(testJoin)
		r.adopt("a b")
		r.runs()
		r.pass(time.Second)
		r.is("founded", true, view.ByMajority)
	})
}
