//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package settle

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

const ms = time.Millisecond

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// A view settles when all hold it and have voted, and the same question keeps the right.
func TestAViewSettles(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		v := r.adopt("a b c")
		r.is("adopted", false, view.ByMajority)
		equal(t, "epoch", v.Epoch, uint64(1))
		r.runs()
		r.is("asked", true, view.ByMajority)
		equal(t, "the right", r.left(), testRight)
		equal(t, "the primary", r.state.Primary(), uint32(1))
		r.pass(time.Second) // the votes were asked for at once, and the right
		equal(t, "since", r.Standing().Since, time.Second)
		equal(t, "how long a question may take", r.limits[0], testRight/2)
		r.questions("b")
		r.pass(2 * testMaxStale)
		at := r.questions("b")
		for i := range at[1:] { // looks for evidence come between, and may put one off
			if gap := at[i+1] - at[i]; gap < testRight/perRight || gap > seekEvery {
				t.Errorf("%v between questions", gap)
			}
		}
		if left := r.left(); left < testRight-testRight/perRight || left > testRight {
			t.Errorf("the right ends in %v", left)
		}
		equal(t, "what is owed is paid", r.owed > 0, true)
		equal(t, "nothing was dropped", len(r.eras), 0)
		equal(t, "nobody else acts for what it owns, which is said once", r.owned, []*view.View{v})
		equal(t, "log", []int{r.says("the mesh changed"), r.says("joined=\"[b c]\""), r.says("WARN")}, []int{1, 1, 0})
	})
}

// Who holds another view is asked again soon, and then less often; it is named when that lasts.
func TestAMemberHoldsAnotherView(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.other("b").holds = false
		r.adopt("a b c")
		r.runs()
		r.pass(2 * time.Second)
		at := r.questions("b")
		for i := range at[1:] {
			if gap := at[i+1] - at[i]; gap < fenceRetryMin || gap > 2*fenceRetryMax {
				t.Errorf("%v between questions", gap)
			}
		}
		equal(t, "questions", len(at), 10)
		r.is("meanwhile", false, view.ByMajority)
		equal(t, "owed", r.owed, 0)
		r.pass(testMaxStale - 2*time.Second - ms)
		equal(t, "said", r.says("do not agree"), 0)
		r.pass(300 * ms)
		equal(t, "said", []int{r.says("do not agree"), r.says("open?\" peers=[b]")}, []int{1, 2})
		r.pass(complainEvery - time.Second)
		equal(t, "said", r.says("do not agree"), 1)
		r.pass(time.Second + 300*ms)
		equal(t, "said again", r.says("do not agree"), 2)
		equal(t, "who holds others up is as good as out of reach", r.Standing().Unreachable, []string{"b#1"})
		r.mu.Lock()
		r.move = true
		r.mu.Unlock()
		r.pass(complainEvery + 300*ms)
		equal(t, "values move", []int{r.says("do not agree"), r.says("values are being handed over, and the mesh waits")}, []int{2, 1})
		r.mu.Lock()
		r.others["b"].holds, r.move = true, false
		r.mu.Unlock()
		r.follow(r.state.View())
		r.pass(time.Second)
		r.is("it adopts", true, view.ByMajority)
		equal(t, "it is reached", r.Standing().Unreachable, []string(nil))
		r.other("b").holds = false
		r.adopt("a b c d")
		r.pass(testMaxStale - time.Second)
		equal(t, "the time counts from then", r.says("do not agree"), 2)
	})
}

// Values that move hold the vote up.
func TestNoVoteWhileValuesMove(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.moving = true
		r.adopt("a b")
		r.runs()
		r.pass(2 * time.Second)
		r.is("moving", false, view.ByMajority)
		r.mu.Lock()
		r.moving = false
		r.mu.Unlock()
		r.pass(time.Second)
		r.is("moved", true, view.ByMajority)
	})
}

// One question of a view is under way to a member at a time, and only so many in all.
func TestOneQuestionAtATime(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		block := make(chan struct{})
		r.other("b").block = block
		r.adopt("a b c")
		r.runs()
		r.pass(time.Second)
		equal(t, "questions", len(r.questions("b")), 1)
		r.adopt("a b c d")
		r.pass(time.Second)
		equal(t, "by the next view", len(r.questions("b")), 1)
		r.mu.Lock()
		r.others["b"].block = nil
		r.mu.Unlock()
		close(block)
		r.pass(time.Second)
		r.is("answered", true, view.ByMajority)
		if n := len(r.questions("b")); n < 2 {
			t.Errorf("%d questions since", n)
		}
	})
}

func TestQuestionsAtOnce(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		block, names := make(chan struct{}), "a"
		for i := range fenceCalls + 6 {
			name := string(rune('A'+i/26)) + string(rune('a'+i%26))
			names += " " + name
			r.other(name).block = block
		}
		r.adopt(names)
		r.runs()
		equal(t, "under way", len(r.asked), fenceCalls)
		r.mu.Lock()
		for _, o := range r.others {
			o.block = nil
		}
		r.mu.Unlock()
		close(block)
		synctest.Wait()
		equal(t, "then the others", len(r.asked) >= fenceCalls+6, true)
	})
}

// An answer counts if it can be read; one of a member that closes says no more than that it is
// there.
func TestAnswersThatAreNone(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b")
		r.other("b").status = wire.StatusClosed
		r.runs()
		r.pass(time.Second)
		r.is("it closes", false, view.ByMajority)
		w, err := r.exchange(context.Background(), r.state.View(), "b#1", quorum.Word{From: "a#1"})
		equal(t, "closing", []any{w, err}, []any{quorum.Word{}, error(nil)})
		if _, err := r.exchange(context.Background(), r.state.View(), "x#1", quorum.Word{}); !errors.Is(err, errs.ErrNotOwner) {
			t.Errorf("who is not in the view: %v", err)
		}
		r.other("b").down = true
		if _, err := r.exchange(context.Background(), r.state.View(), "b#1", quorum.Word{View: r.state.View().ID, From: "a#1"}); err == nil {
			t.Error("an answer from nobody")
		}
	})
}

// What others ask is answered by the core; what is no word, is refused.
func TestAnswer(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		v := r.adopt("a b")
		resp := new(httppool.Response)
		r.Answer(&httppool.Request{Value: []byte("no word")}, resp)
		equal(t, "no word", []any{resp.Status, resp.Message}, []any{wire.StatusInvalid, quorum.ErrMalformed.Error()})
		b := r.other("b").core
		resp = new(httppool.Response)
		r.Answer(&httppool.Request{Value: b.Say("a#1", r.clock.Now()).Append(nil)}, resp)
		w, err := quorum.Parse(resp.Value)
		equal(t, "an answer", []any{resp.Status, resp.View, w.From, w.View, err}, []any{wire.StatusOK, v.ID, "a#1", v.ID, error(nil)})
	})
}

// A suspended machine has no right until the others have confirmed it anew.
func TestSuspension(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b")
		r.runs()
		r.pass(time.Second)
		r.mu.Lock()
		block := make(chan struct{})
		r.others["b"].block = block
		r.mu.Unlock()
		r.Wake()
		equal(t, "on waking", r.state.Confirmed(), int64(0))
		r.mu.Lock()
		r.others["b"].block = nil
		r.mu.Unlock()
		close(block)
		r.pass(testRight / perRight)
		equal(t, "confirmed", r.left() > 0, true)
	})
}
