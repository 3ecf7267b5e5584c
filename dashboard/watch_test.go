package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A script makes looks, a second apart, each changed from the one before.
type script struct {
	*watch
	now seen
}

func newScript(members ...string) *script {
	s := &script{watch: newWatch(), now: seen{at: time.Unix(1, 0), stats: cachemesh.NodeStats{Settled: true, Mode: "majority"}}}
	s.then(func(now *seen) { now.members = called(members...) })
	return s
}

func called(names ...string) (members []cachemesh.Member) {
	for _, name := range names {
		members = append(members, cachemesh.Member{Name: name, Addr: name + ":3000"})
	}
	return members
}

// then makes one look, and returns what is said of it.
func (s *script) then(change func(now *seen)) []string {
	before := s.happened
	s.now.at = s.now.at.Add(time.Second)
	change(&s.now)
	s.look(s.now)
	_, _, events := s.watch.now()
	var said []string
	for _, e := range events[:min(s.happened-before, len(events))] {
		said = append(said, fmt.Sprintf("%s: %s %s", e.Level, e.Subject, e.Text))
	}
	return said
}

func wantSaid(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("said %q, want %q", got, want)
		return
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("said %q, want %q", got[i], want[i])
		}
	}
}

// TestHowMembersWent is told from what they announced, and from how many are missed.
func TestHowMembersWent(t *testing.T) {
	s := newScript("a", "b", "c", "d", "e", "f")
	wantSaid(t, s.then(func(now *seen) { now.members[5].Leaving = true }), "note: f is leaving")
	wantSaid(t, s.then(func(now *seen) { now.members = called("a", "b", "c", "d", "e") }), "note: f left in order")
	wantSaid(t, s.then(func(now *seen) { now.members = called("a", "b", "c", "d") }), "note: e left in order")
	wantSaid(t, s.then(func(now *seen) { now.members, now.stats.Missing = called("a", "b", "c"), 1 }), "bad: d is gone without leaving")
	wantSaid(t, s.then(func(now *seen) { now.members, now.stats.Missing = called("a"), 2 }), "warning: c is gone", "warning: b is gone")
	wantSaid(t, s.then(func(now *seen) { now.members = called("a", "d") }), "good: d joined, at d:3000")
	_, members, _ := s.watch.now()
	for _, m := range members {
		if m.Name == "d" && (!m.gone.IsZero() || m.since != s.now.at) {
			t.Errorf("one that came back: %+v", m)
		}
	}
	s.then(func(now *seen) { now.at = now.at.Add(keepGone) })
	if _, members, _ := s.watch.now(); len(members) != 2 {
		t.Errorf("%d members are remembered after %v", len(members), keepGone)
	}
}

// TestWhatIsSaidOfTheMesh once each time that it changes.
func TestWhatIsSaidOfTheMesh(t *testing.T) {
	s := newScript("a", "b", "c")
	wantSaid(t, s.then(func(now *seen) {}))
	wantSaid(t, s.then(func(now *seen) { now.stats.Mode = "minority" }), "bad: this member answers by the right of: minority (before: majority)")
	wantSaid(t, s.then(func(now *seen) { now.stats.Mode, now.stats.Settled = "majority", false }), "good: this member answers")
	s.then(func(now *seen) {})
	wantSaid(t, s.then(func(now *seen) { now.stats.Settled, now.stats.Members = true, 3 }), "good: mesh its 3 members agree, after about 2s")
	wantSaid(t, s.then(func(now *seen) { now.stats.Unreachable = []string{"b#x#1"} }), "warning: b#x gossips and cannot be called")
	wantSaid(t, s.then(func(now *seen) { now.stats.Unreachable, now.stats.Expelled = nil, []string{"b#x"} }), "warning: b#x is gone on without", "note: b#x can be called again, or is gone")
	wantSaid(t, s.then(func(now *seen) { now.stats.Refused = map[string]uint64{"tls": 3} }), "warning: this member refused 3 times: tls")
	wantSaid(t, s.then(func(now *seen) { now.stats.Refused = map[string]uint64{"tls": 5, "mesh": 1} }), "warning: this member refused 2 times: tls", "warning: this member refused 1 times: mesh")
	wantSaid(t, s.then(func(now *seen) { now.stats.Lost = 7 }), "bad: this member lost 7 values")
}

// TestWhatIsRememberedIsBounded, whatever happens.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	s := newScript("a")
	for i := range maxSeen + 10 {
		s.then(func(now *seen) { now.members = append(now.members, called(fmt.Sprint("m", i))...) })
	}
	if _, members, events := s.watch.now(); len(members) != maxSeen || len(events) != maxEvents {
		t.Errorf("%d members, %d events", len(members), len(events))
	}
	var all series
	for i := range uint32(history + 10) {
		all.add(counts{own: i})
	}
	if got := all.all(); len(got) != history || got[0].own != 10 || got[history-1].own != history+9 {
		t.Errorf("%d looks, from %d to %d", len(got), got[0].own, got[len(got)-1].own)
	}
	if sum, looks := sumOf(all.all(), 2); looks != 2 || sum.own != 2*history+17 {
		t.Errorf("the last %d looks: %d", looks, sum.own)
	}
}

// TestCountersThatFellOrWrapped have no peak in the chart.
func TestCountersThatFellOrWrapped(t *testing.T) {
	if got := (counts{own: 3, miss: 4}).minus(counts{own: 1<<32 - 2, miss: 5}); got != (counts{own: 5}) {
		t.Errorf("difference %+v", got)
	}
}
