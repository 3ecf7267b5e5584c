//go:build !race

package settle

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/membership"
)

func TestAwaitMesh(t *testing.T) {
	for name, x := range map[string]struct {
		change     func(r *rig)
		took       time.Duration
		info, warn int
	}{
		"at once":          {func(*rig) {}, 0, 0, 0},
		"they do not come": {func(r *rig) { r.others["b"].holds = false }, testJoin, 0, 1},
		"values come":      {func(r *rig) { r.others["b"].holds = false; r.move = true }, testJoin, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(r *rig) {
				r.other("b")
				x.change(r)
				r.adopt("a b")
				r.runs()
				start := time.Now()
				r.AwaitMesh()
				equal(t, "took", time.Since(start), x.took)
				equal(t, "log", []int{r.says("values are still"), r.says("the members do not agree on who they are")}, []int{x.info, x.warn})
			})
		})
	}
	inBubble(t, nil, func(r *rig) {
		r.other("b").holds = false
		r.adopt("a b")
		done := make(chan error)
		ctx, cancel := context.WithCancel(context.Background())
		go func() { done <- r.awaitSettled(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, errs.ErrUnsettled) || !errors.Is(err, context.Canceled) {
			t.Errorf("called off: %v", err)
		}
		go func() { done <- r.awaitSettled(context.Background()) }()
		synctest.Wait()
		r.life.Close()
		if err := <-done; !errors.Is(err, errs.ErrClosed) || errors.Is(err, errs.ErrUnsettled) {
			t.Errorf("closed: %v", err)
		}
		r.AwaitMesh()
		equal(t, "who closes complains of nothing", r.says("do not agree"), 0)
		r.Close()
		if err := r.awaitSettled(context.Background()); !errors.Is(err, errs.ErrClosed) || r.state.View() != nil {
			t.Errorf("after the end: %v", err)
		}
	})
}

// Who leaves waits until the others have voted without it, and no longer than a right.
func TestAwaitVoted(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b c")
		r.runs()
		start := time.Now()
		r.AwaitVoted(r.life.Context())
		equal(t, "in a view in which it stays", time.Since(start), testRight)
		r.other("b").holds = false
		r.adopt("-a b c")
		start = time.Now()
		r.AwaitVoted(r.life.Context())
		equal(t, "they do not vote", time.Since(start), testRight)
		r.other("b").holds = true
		r.follow(r.state.View())
		r.pass(time.Second)
		start = time.Now()
		r.AwaitVoted(r.life.Context())
		equal(t, "they voted", time.Since(start), time.Duration(0))
		equal(t, "who leaves drops hot copies too", r.lost[len(r.lost)-1], drop{"a b c", true})
	})
	inBubble(t, nil, func(r *rig) {
		start := time.Now()
		r.AwaitVoted(r.life.Context())
		equal(t, "without a view", time.Since(start), testRight)
	})
}

// News that comes while a question is under way, which does not tell it, is told by another as
// soon as that was answered.
func TestNewsWhileAQuestionIsUnderWay(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b c")
		r.runs()
		r.pass(time.Second)
		block := make(chan struct{})
		r.mu.Lock()
		r.others["c"].down, r.others["b"].block = true, block
		r.mu.Unlock()
		r.questions("b")
		r.pass(unreachable + time.Second) // it is time to tell that c cannot be reached
		equal(t, "under way", len(r.questions("b")), 1)
		r.mu.Lock()
		r.others["b"].block = nil
		r.mu.Unlock()
		close(block)
		synctest.Wait()
		equal(t, "at once", len(r.questions("b")), 1)
		r.pass(testRight/perRight - ms)
		equal(t, "once", len(r.questions("b")), 0)
	})
}

// A view that follows one which has not settled is settled at once, and what follows one that has
// keeps what was this member's in both.
func TestViewAfterView(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b c")
		r.runs()
		r.pass(time.Second)
		r.other("b").holds = false
		v := r.adopt("a b c d")
		r.pass(time.Second)
		r.is("unsettled", false, view.ByMajority)
		kept := uint64(0)
		for hash := range uint64(200) {
			if h := hash * 0x9E3779B97F4A7C15; v.Standing(h) == view.OwnsIt {
				kept = h
			}
		}
		if kept == 0 || r.state.MayServe(kept, r.clock.Now()) != nil {
			t.Error("it serves nothing of what it had")
		}
		equal(t, "the primary by which it acts", r.state.Primary(), uint32(1))
		r.other("b").holds = true
		r.adopt("a b c", func(v *membership.View) { v.Gone[0].Clean = true })
		synctest.Wait()
		r.is("at once", true, view.ByMajority)
		r.adopt("a b", func(v *membership.View) { v.Gone[0].Clean = true })
		synctest.Wait()
		r.is("nobody waits for who left", true, view.ByMajority)
	})
}

// What lasts is complained of by how long it lasts, not by how long such things lasted together.
func TestComplaintsCountAnew(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.other("b").holds = false
		r.adopt("a b")
		r.runs()
		r.pass(testMaxStale / 2)
		r.other("b").holds = true
		r.follow(r.state.View())
		r.pass(time.Second)
		r.is("settled", true, view.ByMajority)
		r.other("b").holds = false
		r.adopt("a b c")
		r.pass(testMaxStale - time.Second)
		equal(t, "said", r.says("do not agree"), 0)
	})
}

// Who cannot be reached is named once, in order, and nobody when all can be again.
func TestUnreachableAreNamed(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		for _, name := range []string{"b", "c", "d", "e", "f", "g"} {
			r.other(name).down = true
		}
		r.adopt("a b c d e f g")
		r.runs()
		r.pass(testMaxStale - time.Second)
		equal(t, "named", []int{r.says("neither directly nor"), r.says("peers=\"[b c d e f g]\"")}, []int{1, 1})
		r.mu.Lock()
		for _, o := range r.others {
			o.down = false
		}
		r.mu.Unlock()
		r.pass(2 * time.Second)
		equal(t, "named", []int{r.says("neither directly nor"), r.says("peers=[]")}, []int{1, 0})
	})
}

// Who closes asks nobody.
func TestNoQuestionsAtTheEnd(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		v := r.adopt("a b")
		r.life.Close()
		r.ask(v, "b#1")
		equal(t, "under way", len(r.asks.under), 0)
	})
}
