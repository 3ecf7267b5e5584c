package quorum

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
)

// One core by itself: what the others say is what a test says.

const lease = second

// solo returns the core of "a", which holds no view.
func solo() *Core {
	return New(Config{Self: member("a"), Right: right, Lease: lease, Unreachable: 2 * second, ForgetAfter: 100 * second})
}

func member(name string) Member { return Member{ID: name + "#0", Name: name, Addr: name + ":1"} }

func members(names ...string) (list []Member) {
	for _, name := range names {
		list = append(list, member(name))
	}
	return list
}

func viewOf(id uint64, names ...string) View { return View{ID: id, Members: members(names...)} }

// of is a word by which a member says that it holds the core's view.
func (c *Core) of(name string) Word { return Word{From: name + "#0", View: c.view.ID, RightFor: right} }

// voted is a word by which a member votes as the core has.
func (c *Core) votedBy(name string, vote Vote) Word {
	w := c.of(name)
	w.Number, w.Vote = c.number, vote
	return w
}

// settled returns the core of "a" whose view of the named, of whom it is one, has settled
// at the time 0. It founded the mesh.
func settled(t testing.TB, names ...string) *Core {
	t.Helper()
	c := solo()
	c.Found()
	c.Adopt(viewOf(10, names...), nil, 0)
	c.vote4(Yes, 0, names...)
	if v := c.Judge(0); v.Mode != Settled {
		t.Fatalf("the view did not settle: %+v", v)
	}
	return c
}

// vote4 has all others agree, and then vote for the core's view.
func (c *Core) vote4(vote Vote, now int64, names ...string) {
	for _, say := range []func(string) Word{c.of, func(name string) Word { return c.votedBy(name, vote) }} {
		for _, name := range names {
			if name != "a" {
				c.Asked(say(name), now)
			}
		}
		c.Judge(now)
	}
}

// next has the core adopt another view, in which all others vote so.
func (c *Core) next(id uint64, vote Vote, now int64, names ...string) Verdict {
	c.Adopt(viewOf(id, names...), nil, now)
	c.vote4(vote, now, names...)
	return c.Judge(now)
}

// asks carries a question of the core's, sent at the time sent, and the answer.
func (c *Core) asks(name string, sent, now int64, answer func(w *Word)) {
	q := c.Say(name+"#0", sent)
	a := c.of(name)
	a.Number, a.Vote = q.Number, Yes
	a.Last, a.LastView = q.Last, q.LastView
	if answer != nil {
		answer(&a)
	}
	c.Answered(name+"#0", q, sent, a, now)
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func keys[V any](set map[string]V) []string {
	var list []string
	for key := range set {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

func names(list []Member) (s string) {
	for _, m := range list {
		s += fmt.Sprint(m.Name)
	}
	return s
}
