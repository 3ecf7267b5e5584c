//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package settle

import (
	"slices"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/membership"
)

// Views follow each other: an older one, an equal one, and one that comes while the node closes
// change nothing.
func TestViewsFollowEachOther(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		first := r.adopt("a b c")
		equal(t, "what was lost is dropped", r.lost, []drop{{"a b c", false}})
		equal(t, "the same members", r.adopt("a b c"), first)
		r.epoch--
		equal(t, "an older epoch", r.adopt("a b"), first)
		second := r.adopt("a b c", func(v *membership.View) { v.Returned = true })
		equal(t, "held for dead", []any{second != first, second.ID == first.ID, r.lost[1]}, []any{true, true, drop{"a b c", true}})
		third := r.adopt("a b c", func(v *membership.View) { v.Gone = []membership.Departure{{Member: gossiped("c"), Clean: true}} })
		equal(t, "one was away", []any{third != second, len(r.lost)}, []any{true, 3})
		equal(t, "log", []int{r.says("the mesh changed"), r.says("members=3"), r.says("epoch=3")}, []int{3, 3, 1})
		r.adopt("a b c", func(v *membership.View) { v.Members[0].Leaving = true })
		equal(t, "this one says that it leaves", r.says("leaving=[a]"), 1)
		r.life.Close()
		equal(t, "closing", r.adopt("a").Epoch, uint64(4))
	})
}

// What was noted of an address ends when another process has it, or nobody.
func TestAddressesOfOthers(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b")
		equal(t, "at first", []int{len(r.renewed), len(r.forgot)}, []int{0, 0})
		r.kept = nil
		r.adopt("a b c")
		equal(t, "a process is new", r.renewed, []string{"c:1 c#1"})
		equal(t, "members", r.kept, []string{"a", "b", "c"})
		r.adopt("a c")
		equal(t, "one is gone", r.forgot, []string{"b:1"})
		equal(t, "renewed", len(r.renewed), 1)
	})
}

// While a member is missed that did not leave, and for as long as it may be back after it was
// forgotten, Deletes leave traces.
func TestTraces(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b c d")
		equal(t, "nobody is missing", r.state.Tracing(), false)
		r.adopt("a b c", func(v *membership.View) { v.Gone[0].Clean = true })
		equal(t, "one left", []any{r.state.Tracing(), r.Standing().Missing, r.says("gone without leaving")}, []any{false, 0, 0})
		r.adopt("a b")
		equal(t, "one crashed", []any{r.state.Tracing(), r.Standing().Missing, r.says("gone without leaving"), r.says("gone=[c] addrs=[c:1]")},
			[]any{true, 1, 1, 1})
		r.adopt("a b c")
		equal(t, "it is back", []any{r.state.Tracing(), r.Standing().Missing}, []any{false, 0})
		r.adopt("a b")
		r.adopt("a b", func(v *membership.View) {
			v.Members = append(v.Members, membership.Member{Name: "x", Addr: "c:1", Boot: 1, Life: 1})
			r.other("c")
		})
		equal(t, "another has its address", r.state.Tracing(), false)
	})
	back := absent{missing: map[string]missed{"b": {quorum.Member{ID: "b", Addr: "b:1"}, 100}}}
	clean := back.note([]quorum.Member{{ID: "b", Addr: "b:2"}}, []departure{{quorum.Member{ID: "x"}, true}}, 200)
	equal(t, "back at another address", []any{len(back.missing), clean}, []any{0, []string{"x"}})
	a := absent{missing: map[string]missed{"b": {quorum.Member{ID: "b"}, 100}, "c": {quorum.Member{ID: "c"}, 200}}, after: 1000}
	const after = int64(view.TraceFor)
	for _, x := range []struct {
		now    int64
		want   bool
		missed int
	}{{1099, true, 2}, {1100, true, 1}, {1200, true, 0}, {1199 + after, true, 0}, {1200 + after, false, 0}} {
		equal(t, "tracing", []any{a.tracing(x.now), len(a.missing)}, []any{x.want, x.missed})
	}
	for i := range maxMissing + 1 {
		a.missing[string(rune(i+1))] = missed{since: 5000}
	}
	equal(t, "bounded", []any{a.tracing(5000), len(a.missing), a.tracesUntil}, []any{true, maxMissing, 5000 + after})
	equal(t, "not more", []any{a.tracing(5001), len(a.missing), a.tracesUntil}, []any{true, maxMissing, 5000 + after})
}

// A member that most cannot call is gone on without, and taken back when it begins another life.
func TestExpulsion(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.Gossip(r)
		r.seeds = []membership.Seed{{Name: "s", Addr: "x:1"}}
		r.adopt("a b c")
		r.runs()
		r.pass(time.Second)
		dialled := r.dialled
		r.mu.Lock()
		r.others["c"].down = true
		r.others["b"].core.Unreached("c#1", r.clock.Now())
		r.mu.Unlock()
		r.pass(unreachable - time.Second)
		equal(t, "not yet", []any{len(r.state.View().Members), r.says("cannot be called, neither")}, []any{3, 0})
		r.pass(2 * time.Second)
		v := r.state.View()
		equal(t, "members", []any{len(v.Members), v.Members[0].Name, v.Members[1].Name}, []any{2, "a", "b"})
		equal(t, "expelled", r.Standing().Expelled, []string{"c"})
		equal(t, "it is gone without leaving", []any{r.says("gone=[c] addrs"), r.state.Tracing(), r.forgot}, []any{1, true, []string{"c:1"}})
		equal(t, "copies stay", r.lost[len(r.lost)-1], drop{"a b", false})
		r.follow(v)
		r.pass(2 * testRight)
		r.is("without it", true, view.ByMajority)
		r.questions("c")
		r.limits = nil
		r.pass(3 * time.Second)
		equal(t, "how long a look may take", slices.Min(r.limits), probeTime)
		r.mu.Lock()
		r.others["c"].down = false
		r.mu.Unlock()
		r.pass(time.Second)
		_, self := r.others["c"].core.TakeNews()
		equal(t, "it can be called, and is told", self, true)
		if n := len(r.questions("c")); n < 4 || n > 5 {
			t.Errorf("it was called %d times in 4 s", n)
		}
		equal(t, "a mesh that is founded looks for no other", r.dialled, dialled)
		r.adopt("a b c", func(v *membership.View) { v.Members[2].Life = 2 })
		equal(t, "another life", []any{len(r.state.View().Members), r.Standing().Expelled}, []any{3, []string(nil)})
	})
}

// Who hears of an expulsion follows it; who hears of its own comes back empty.
func TestNewsOfExpulsions(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b c")
		r.runs()
		r.pass(time.Second)
		hear := func(key string) {
			w := r.others["b"].core.Say("a#1", r.clock.Now())
			w.Expelled = []string{key}
			r.Answer(&httppool.Request{Value: w.Append(nil)}, new(httppool.Response))
			r.pass(ms)
		}
		hear("a#1/1")
		equal(t, "nobody to tell", r.says("it comes back empty"), 0)
		r.Gossip(r)
		r.heed()
		equal(t, "no news", r.revived, 0)
		hear("a#1/1")
		equal(t, "its own", []int{r.revived, r.says("it comes back empty")}, []int{1, 1})
		hear("c#1/1")
		equal(t, "another's", []int{r.revived, len(r.state.View().Members)}, []int{1, 2})
		r.readopt()
		equal(t, "once", r.says("the mesh changed"), 2)
	})
	inBubble(t, nil, func(r *rig) { // by an answer
		r.adopt("a b c")
		r.other("b").lie = func(w *quorum.Word) { w.Expelled = []string{"c#1/1"} }
		r.runs()
		r.pass(time.Second)
		equal(t, "followed", len(r.state.View().Members), 2)
	})
	inBubble(t, nil, func(r *rig) {
		r.readopt() // there is nothing yet
		v := r.adopt("a b c")
		r.mandate.judge(func(c *quorum.Core, now int64) {
			w := r.others["b"].core.Say("a#1", now)
			w.Expelled = []string{"c#1/1"}
			c.Asked(w, now)
		})
		r.life.Close()
		r.readopt()
		equal(t, "closing", r.state.View(), v)
	})
}
