//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package settle

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// A member that loses the majority goes on by what it holds until its right ends, drops it
// before it answers as a minority, and drops that when it has the majority again.
func TestMajorityLostAndFound(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b c")
		r.runs()
		r.pass(time.Second)
		var while atomic.Int64
		r.dropped = func() { while.Store(r.state.Confirmed() + 1) }
		r.adopt("a")
		r.pass(time.Second)
		r.is("its right lasts", false, view.ByMajority)
		if r.left() <= 0 {
			t.Error("it has no right any more")
		}
		equal(t, "nothing was dropped", len(r.eras), 0)
		r.pass(testRight)
		r.is("as a minority", true, view.AsMinority)
		equal(t, "dropped", []any{r.eras, while.Load()}, []any{[]uint32{1}, int64(1)})
		equal(t, "log", []int{r.says("sees no majority"), r.says("waits_for=\"[b c]\"")}, []int{1, 1})
		equal(t, "it may answer alone", r.left() > 0, true)
		st := r.Standing()
		equal(t, "standing", []any{st.Mode, st.WaitsFor, st.Primary}, []any{"minority", []string{"b", "c"}, uint64(0)})
		owed := r.owed
		r.pass(2 * time.Second)
		equal(t, "a minority pays nothing", r.owed, owed)
		since := r.Standing().Since
		r.pass(time.Second)
		equal(t, "since", r.Standing().Since, since+time.Second)
		r.adopt("a b c")
		r.pass(2 * time.Second)
		r.is("with the majority again", true, view.ByMajority)
		equal(t, "dropped", []any{r.eras, while.Load()}, []any{[]uint32{1, 2}, int64(1)})
		equal(t, "log", []int{r.says("with the majority again"), r.says("sees no majority")}, []int{1, 1})
		st = r.Standing()
		equal(t, "standing", []any{st.Mode, len(st.WaitsFor), st.Primary > 1, r.state.Primary() > 1}, []any{"majority", 0, true, true})
	})
}

// Half of two answers writes, by what it loads.
func TestHalfOfTwo(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b")
		r.runs()
		r.pass(time.Second)
		r.adopt("a")
		r.pass(2 * testRight)
		r.is("half", true, view.AsHalf)
		equal(t, "log", []int{r.says("the other half"), r.says("waits_for=[b]")}, []int{1, 1})
		equal(t, "it may answer", r.left() > 0, true)
		r.other("c").holds = false
		r.adopt("a c")
		r.pass(100 * ms)
		r.is("as before, while another view is agreed on", false, view.AsHalf)
	})
}

// An operator's word ends a wait.
func TestForget(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b c")
		r.runs()
		r.pass(time.Second)
		equal(t, "nobody is waited for", r.Forget("b"), false)
		r.adopt("a")
		r.pass(2 * testRight)
		equal(t, "forgotten", []bool{r.Forget("x"), r.Forget("b"), r.Forget("b")}, []bool{false, true, false})
		r.pass(time.Second)
		r.is("one of two", true, view.AsMinority)
		equal(t, "the other", r.Forget("c"), true)
		r.pass(time.Second)
		r.is("both", true, view.ByMajority)
	})
}

// Who was left out drops what it holds before it acts again, and owns nothing by former views.
func TestLeftOut(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b")
		r.runs()
		r.pass(time.Second)
		r.mu.Lock()
		r.others["b"].lie = func(w *quorum.Word) { w.TakenIn = 7 }
		r.mu.Unlock()
		var confirmed, settled atomic.Int64
		r.dropped = func() {
			confirmed.Store(r.state.Confirmed() + 1)
			for h := range uint64(100) {
				if v := r.state.View(); v.Settled() || v.Mine(h*0x9E3779B97F4A7C15) && v.Standing(h*0x9E3779B97F4A7C15) != view.Gaining {
					settled.Store(1)
				}
			}
		}
		v := r.adopt("a b c")
		r.pass(time.Second)
		equal(t, "what it owned before proves nothing", r.emptied, []*view.View{v})
		equal(t, "dropped", []any{r.eras, confirmed.Load(), settled.Load()}, []any{[]uint32{1}, int64(1), int64(0)})
		r.is("and acts", true, view.ByMajority)
		equal(t, "the right", r.left() > 0, true)
		r.adopt("a b")
		r.pass(time.Second)
		equal(t, "once", len(r.eras), 1)
	})
}

// More that must go while something goes, goes too, before the node acts.
func TestLeftOutWhileDropping(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b")
		r.runs()
		r.pass(time.Second)
		r.mu.Lock()
		stamp := uint64(7)
		r.others["b"].lie = func(w *quorum.Word) { w.TakenIn = stamp }
		r.mu.Unlock()
		first := true
		r.dropped = func() {
			equal(t, "it does not serve meanwhile", r.state.Confirmed(), int64(0))
			if first {
				first = false
				r.writes.NewEra()
			}
		}
		r.adopt("a b c")
		r.pass(time.Second)
		equal(t, "eras", r.eras, []uint32{1, 2})
		r.is("then it acts", true, view.ByMajority)
	})
}

// Keys of a member that is gone are owned once it cannot act any more: until then the view is
// not settled here.
func TestHeirWaits(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b c")
		r.runs()
		r.pass(2 * time.Second)
		r.adopt("a b")
		r.pass(500 * ms)
		r.is("c may act", false, view.ByMajority)
		equal(t, "what did not change is served", r.left() > 0, true)
		owed := r.owed
		r.pass(testRight + testRight/64)
		r.is("it cannot any more", true, view.ByMajority)
		equal(t, "owed is not paid before", r.owed > owed, true)
		equal(t, "nothing was dropped", len(r.eras), 0)
	})
}

// While a view is adopted nobody else who asks for that runs.
func TestWhileStill(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		ran := false
		r.WhileStill(func() { ran = !r.adopting.TryLock() })
		equal(t, "ran alone", ran, true)
	})
}

// A view whose members have all voted is not settled before this one has a right to act by it:
// others' questions bring their votes, and no right.
func TestVotesGiveNoRight(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b")
		b := r.other("b").core
		for range 3 {
			q, now, resp := b.Say("a#1", r.clock.Now()), r.clock.Now(), new(httppool.Response)
			r.Answer(&httppool.Request{Value: q.Append(nil)}, resp)
			w, err := quorum.Parse(resp.Value)
			if err != nil {
				t.Fatal(err)
			}
			b.Answered("a#1", q, now, w, now)
			b.Judge(now)
		}
		equal(t, "all have voted", r.Standing().Mode, "majority")
		r.is("without a right", false, view.ByMajority)
		r.runs()
		r.pass(time.Second)
		r.is("with one", true, view.ByMajority)
	})
}

// What others wait for ends when this member is told so.
func TestJudgedAnew(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.moving = true
		r.adopt("a")
		r.is("values move", false, view.ByMajority)
		r.moving = false
		r.Judge()
		r.is("they have moved", true, view.ByMajority)
	})
	inBubble(t, func(o *Options) { o.Alone = false }, func(r *rig) {
		r.adopt("a")
		equal(t, "it looks for a mesh", r.Standing().Mode, "unsettled")
		r.GiveUp()
		equal(t, "it has looked", r.Standing().Mode, "minority")
	})
}
