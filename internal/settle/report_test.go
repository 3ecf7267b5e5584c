//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package settle

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/membership"
)

// line returns the last line of the log, without its time and level.
func (r *rig) line() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(r.logged.String()), "\n")
	_, text, _ := strings.Cut(lines[len(lines)-1], " msg=")
	return text
}

// One line says who came, who announced that it leaves, who left and who is gone, and no word of
// what was so before.
func TestOneLineSaysWhatChanged(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		says := func(names, want string, change ...func(v *membership.View)) {
			t.Helper()
			r.adopt(names, change...)
			if got := r.line(); got != `"the mesh changed" `+want {
				t.Errorf("%s: the log says %s, want %s", names, got, want)
			}
		}
		leaves := func(v *membership.View) { v.Gone[0].Clean = true }
		says("a", "members=1 missing=0 epoch=1")
		says("a b c d e", `members=5 missing=0 epoch=2 joined="[b c d e]"`)
		says("a b c d -e", "members=5 missing=0 epoch=3 leaving=[e]")
		says("a b c -d -e", "members=5 missing=0 epoch=4 leaving=[d]")
		says("a b c -d", "members=4 missing=0 epoch=5 left=[e]", leaves)
		says("a c -d", "members=3 missing=1 epoch=6 gone=[b]")
		says("-a c -d f", "members=4 missing=1 epoch=7 joined=[f] leaving=[a]")
		says("-a c", "members=2 missing=2 epoch=8 left=[d] gone=[f]", leaves)
	})
}

func TestALineNamesNotTooMany(t *testing.T) {
	names := make([]string, maxNamed+2)
	for i := range names {
		names[i] = fmt.Sprint("m", i)
	}
	equal(t, "as many as it names", few(names[:maxNamed]), names[:maxNamed])
	got := few(names)
	equal(t, "more", []any{len(got), got[:maxNamed], got[maxNamed]}, []any{maxNamed + 1, names[:maxNamed], "and 2 more"})
}

// What lasts is said from MaxStale on, counted from when it began, and once a minute then.
func TestWhatLastsIsSaid(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		equal(t, "names before there is a view", r.told.named([]string{"b#1"}), []string{"b#1"})
		said := func(mode quorum.Mode, want int) {
			t.Helper()
			r.told.report(quorum.Verdict{Mode: mode})
			equal(t, "lines", r.says("do not agree"), want)
		}
		said(quorum.Settled, 0)
		r.pass(time.Hour)
		said(quorum.Unsettled, 0)
		r.pass(testMaxStale - 1)
		said(quorum.Unsettled, 0)
		r.pass(1)
		said(quorum.Unsettled, 1)
		r.pass(complainEvery - 1)
		said(quorum.Unsettled, 1)
		r.pass(1)
		said(quorum.Unsettled, 2)
	})
}

// How others see the mesh: by what they said in this view, of members of this view.
func TestViewsOfThisView(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		equal(t, "before there is a view", r.Views(), []MemberView(nil))
		v := r.adopt("a b")
		equal(t, "nothing said", r.Views(), []MemberView{{Name: "a", Agrees: true}, {Name: "b", Age: -1}})
		others := append(v.Members[:2:2], quorumMember(gossiped("c")))
		r.mandate.judge(func(c *quorum.Core, now int64) { c.Adopt(quorum.View{ID: 7, Members: others}, nil, now) })
		equal(t, "another view is judged already", len(r.Views()), 2)
	})
}

// A member that could not be called for as long is named from that moment on.
func TestUnreachedFromTheMoment(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b")
		r.mandate.judge(func(c *quorum.Core, now int64) { c.Unreached("b#1", now) })
		r.pass(unreachable - 1)
		equal(t, "before", r.mandate.unreached(), []string(nil))
		r.pass(1)
		equal(t, "then", r.mandate.unreached(), []string{"b#1"})
	})
}

// Before there is a view nothing is looked for.
func TestNothingIsSoughtBeforeAView(t *testing.T) {
	inBubble(t, func(o *Options) { o.Alone = false }, func(r *rig) {
		r.seeds = []membership.Seed{{Name: "s", Addr: "x:1"}}
		r.port("x:1", refused)
		r.Gossip(r)
		r.runs()
		r.pass(2 * time.Second)
		equal(t, "looks", r.dialled, 0)
		r.adopt("a")
		r.pass(time.Second)
		equal(t, "looks with one", r.dialled > 0, true)
	})
}

// Whoever lags in a new view is asked again soon, however seldom it was asked in the one before.
func TestANewViewAsksSoonAgain(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.other("b").holds = false
		r.adopt("a b c")
		r.runs()
		r.pass(2 * time.Second)
		r.questions("b")
		r.adopt("a b c d")
		r.pass(2*lagRetryMin + fenceRetryMin)
		if n := len(r.questions("b")); n < 2 {
			t.Errorf("%d questions in %v of a new view", n, 2*lagRetryMin+fenceRetryMin)
		}
	})
}

// A view beside which somebody may act yet settles at the moment from which nobody can, and
// until then what is owed to others is not paid.
func TestAViewSettlesAtTheMoment(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.adopt("a b c d e")
		r.runs()
		for i := range 3 {
			r.pass(time.Second + 137*ms)
			r.follow(r.adopt([]string{"a b c d", "a b c", "a b"}[i]))
			r.owed = 0
			r.pass(100 * ms)
			_, vd := r.mandate.current()
			from := time.Duration(vd.OwnFrom - r.clock.Now())
			if vd.Mode != quorum.Settled || from <= ms {
				t.Fatalf("mode %v, %v before anybody's right ends", vd.Mode, from)
			}
			r.pass(from - 1)
			r.is("a moment before", false, view.ByMajority)
			equal(t, "nothing is paid", r.owed, 0)
			r.pass(1)
			r.is("at the moment", true, view.ByMajority)
			r.pass(time.Second)
			equal(t, "it is paid", r.owed > 0, true)
		}
	})
}
