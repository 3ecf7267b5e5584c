package view

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

func TestWhoIsInAView(t *testing.T) {
	v := viewOf(nil, "b -c a")
	equal(t, "owners", len(v.Owners), 2)
	self := v.Owners[v.Self]
	equal(t, "itself", self, Owner{ID: "a#1", Name: "a", Addr: "a:1", Life: 1})
	b := v.Owners[1-v.Self]
	equal(t, "another", []any{b.ID, b.Name, b.Addr, b.Peer, b.Route != nil, b.Route == v.Peers["b#1"].Route},
		[]any{"b#1", "b", "b:1", nowhere("b:1"), true, true})
	equal(t, "peers", []any{len(v.Peers), v.Peers["c#1"].Addr, v.Peers["c#1"].Peer}, []any{2, "c:1", nowhere("c:1")})
	equal(t, "epochs", []uint64{v.Epoch, viewOf(v, "a").Epoch}, []uint64{1, 2})
	ours, theirs := key(t, "a", v), key(t, "b", v)
	equal(t, "ours", []any{v.Owner(ours).ID, v.Mine(ours)}, []any{"a#1", true})
	equal(t, "theirs", []any{v.OwnerID(theirs), v.Mine(theirs), v.Standing(theirs)}, []any{"b#1", false, Foreign})
	all := viewOf(v, "-a -b")
	equal(t, "nobody is left", []any{all.Self, all.Owner(5) == nil, all.OwnerID(5), all.Mine(5), all.Standing(5)}, []any{-1, true, "", false, Foreign})
	leaving := viewOf(v, "-a b")
	equal(t, "who leaves owns nothing", []any{leaving.Self, leaving.Mine(ours), len(leaving.Peers)}, []any{-1, false, 1})
}

// Members that believe in the same members have one id for it, which is that of nothing else.
func TestIDs(t *testing.T) {
	first := viewOf(nil, "a b")
	equal(t, "again", viewOf(viewOf(first, "a"), "a b").ID, first.ID)
	again := members("a b")
	again[1].Life = 2
	ids := map[uint64]bool{first.ID: true}
	for _, list := range [][]quorum.Member{members("a"), members("a -b"), members("-a b"), again, members("a b c"),
		{{ID: "a#1b#1", Name: "a", Life: 1}}, {{ID: "a#1", Name: "a", Life: 1}, {ID: "b#2", Name: "b", Life: 1}}, nil,
		{{ID: "a", Name: "a", Life: 1}, {ID: "b", Name: "b", Life: 1}}, {{ID: "a\x01\x00b", Name: "a", Life: 1}}} {
		id := New(list, nil, "x", func(string) wire.Peer { return nil }, false).ID
		if ids[id] || id == 0 {
			t.Errorf("the id of %v is another's", list)
		}
		ids[id] = true
	}
}

// What this member owned in the view that settled last, and in every one since, and owns now, is
// its own before the next has settled: nobody else can have owned it meanwhile.
func TestStandingThroughAChain(t *testing.T) {
	a := viewOf(nil, "a b")
	equal(t, "nothing is known", a.Standing(key(t, "a", a)), Gaining)
	Writer{}.Settle(a)
	equal(t, "settled", []any{a.Settled(), a.Standing(key(t, "a", a)), a.Standing(key(t, "b", a))}, []any{true, OwnsIt, Foreign})
	b := viewOf(a, "a c d e f")
	c := viewOf(b, "a b")
	kept := key(t, "a", a, b, c)
	equal(t, "owned throughout", []any{b.Standing(kept), c.Standing(kept)}, []any{OwnsIt, OwnsIt})
	var between uint64 // ours before and after, and another's between
	for _, other := range []string{"c", "d", "e", "f"} {
		if between == 0 {
			for k := range uint64(2000) {
				if h := k * 0x9E3779B97F4A7C15; a.Mine(h) && b.OwnerID(h) == other+"#1" {
					between = h
					break
				}
			}
		}
	}
	equal(t, "another's between", []any{a.Standing(between), b.Standing(between), c.Standing(between)}, []any{OwnsIt, Foreign, Gaining})
	equal(t, "gained", c.Standing(key(t, "a", c)), OwnsIt)
	gained := viewOf(a, "a").Standing(key(t, "b", a))
	equal(t, "of who is gone", gained, Gaining)

	Writer{}.Settle(c)
	d := viewOf(c, "a b c")
	equal(t, "a chain begins with what settled", len(d.before), 1)
	equal(t, "ours in that", d.Standing(key(t, "a", c, d)), OwnsIt)
	Writer{}.Empty(c)
	equal(t, "others went on without us", []any{c.Settled(), c.Standing(kept)}, []any{false, Gaining})
	equal(t, "and then", viewOf(c, "a b").Standing(kept), Gaining)
	Writer{}.Empty(d)
	equal(t, "and after it", viewOf(d, "a b").before == nil, true)
	forgets := New(members("a b"), a, "a#1", func(string) wire.Peer { return nil }, true)
	equal(t, "what a minority owned proves nothing", forgets.Standing(key(t, "a", a)), Gaining)
}

// Only so many views are remembered; beyond that nothing is known.
func TestChainIsBounded(t *testing.T) {
	v := viewOf(nil, "a b")
	Writer{}.Settle(v)
	ours := key(t, "a", v)
	for n := 1; n <= maxBefore; n++ {
		v = viewOf(v, "a b")
		equal(t, "remembered", []any{len(v.before), v.Standing(ours)}, []any{n, OwnsIt})
		equal(t, "without what is behind", v.before[n-1].before == nil, true)
	}
	one, other := viewOf(v, "a b"), viewOf(v, "a b")
	equal(t, "one more", []any{one.before == nil, other.Standing(ours)}, []any{true, Gaining})
	equal(t, "and from then on", viewOf(one, "a b").before == nil, true)
}

// Two views that follow one do not share what they append.
func TestChainsThatFork(t *testing.T) {
	v := viewOf(nil, "a b")
	Writer{}.Settle(v)
	v = viewOf(viewOf(viewOf(v, "a b"), "a b"), "a b")
	one := viewOf(v, "a b")
	next := viewOf(one, "a")
	_ = viewOf(viewOf(v, "a c"), "a b")
	equal(t, "not changed by another", next.before[len(next.before)-1].Ring, one.Ring)
}
