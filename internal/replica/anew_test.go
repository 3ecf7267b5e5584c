package replica

import (
	"slices"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// anew has another part of the group begin at a member, which holds nothing, and has told nobody yet.
func (tb *table) anew(id string) *node {
	n := tb.nodes[id]
	n.part++
	clear(n.held)
	n.core = New(Config{Self: id, Copies: 2, Held: n, Faults: &n.core.faults, Epoch: EpochOf(n.part), Trace: n.core.cfg.Trace})
	n.core.Adopt(tb.last)
	n.core.Own()
	return n
}

// digests tells an owner the digests of other members.
func (tb *table) digests(owner *node, others string) {
	for _, id := range others {
		owner.core.Asks(string(id))
		tb.digest(owner, string(id))
	}
}

// busy has an owner write the key and delete it a few times.
func (tb *table) busy(owner *node) {
	for clock := range uint64(10) {
		w, _ := tb.write(owner, 1+clock, clock%2 == 1, "")
		owner.core.Install(w)
		tb.mend(owner, ms)
	}
}

// What the next part of a group sends is not taken for something late, and what the one before sent is: it came to
// nothing, and would be there when the key has no value.
func TestOwnerBeginsAnew(t *testing.T) {
	check(t, faultinject.Replicas{SameNumbers: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abcd", f)
		a := tb.nodes["a"]
		tb.busy(a)
		w, late := tb.write(a, 50, false, "b") // c has it
		a.core.Abandon(w)
		a = tb.anew("a")
		tb.nodes["c"].Delete(0)
		tb.digests(a, "bcd")
		w, _ = tb.write(a, 100, false, "")
		if !a.core.Install(w) {
			t.Fatal("it was not installed")
		}
		a.Delete(0) // it is evicted
		a.core.Evicted(0, store.Version{Clock: 100})
		tb.mend(a, ms)
		sent := a.core.number - EpochOf(1)
		if f.SameNumbers {
			sent = a.core.number
		}
		for _, s := range late {
			tb.nodes["b"].core.Handle("a", s)
		}
		return sent > 5 || tb.has("b") != 0
	})
}

// What the part before sent comes after the next one has learned that nobody has anything: it is not taken.
func TestCopyComesAfterItsOwnerBeganAnew(t *testing.T) {
	check(t, faultinject.Replicas{SameNumbers: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abcd", f)
		a := tb.nodes["a"]
		w, late := tb.write(a, 1, false, "b")
		a.core.Abandon(w)
		tb.nodes["c"].Delete(0)
		a = tb.anew("a")
		tb.digests(a, "bcd")
		if !a.core.Nothing(0) {
			t.Fatal("there is something to delete")
		}
		for _, s := range late {
			tb.nodes["b"].core.Handle("a", s)
		}
		return tb.has("b") != 0
	})
}

// A member took what is written, and its group began anew before the write was shown, or before the answer came: it is
// sent a copy again.
func TestHolderBeginsAnewBesideAWrite(t *testing.T) {
	for _, answered := range []bool{true, false} {
		check(t, faultinject.Replicas{Unheard: true}, func(f faultinject.Replicas) bool {
			tb := set(t, "abcd", f)
			a := tb.nodes["a"]
			w, err := a.core.Begin(0, &store.Entry{Version: store.Version{Clock: 1}})
			if err != nil {
				t.Fatal(err)
			}
			sends, _ := a.core.Next(w, 0)
			s := slices.Clone(sends)[0]
			answer := tb.nodes["b"].core.Handle("a", s)
			if answered {
				a.core.Answered(s, answer, 0)
			}
			tb.anew("b")
			a.core.Untold("b")
			tb.digests(a, "b")
			if !answered {
				a.core.Answered(s, answer, 0)
			}
			for sends, state := a.core.Next(w, 0); state == Waiting; sends, state = a.core.Next(w, 0) {
				for _, s := range slices.Clone(sends) {
					tb.carry(a, s)
				}
			}
			if !a.core.Install(w) {
				t.Fatal("it was not installed")
			}
			tb.mend(a, ms)
			return tb.has("b") != 1
		})
	}
}

// A copy is made, and the member's group began anew before the answer came.
func TestHolderBeginsAnewBesideARepair(t *testing.T) {
	check(t, faultinject.Replicas{Unheard: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abcd", f)
		a := tb.nodes["a"]
		w, _ := tb.write(a, 1, false, "b")
		a.core.Install(w)
		sends := slices.Clone(a.core.Work(ms, 10))
		if len(sends) != 1 || sends[0].To != "b" || sends[0].Op != Store {
			t.Fatalf("%v", sends)
		}
		answer := tb.nodes["b"].core.Handle("a", sends[0])
		tb.anew("b")
		a.core.Untold("b")
		tb.digests(a, "b")
		a.core.Answered(sends[0], answer, ms)
		tb.mend(a, ms)
		return tb.has("b") != 1
	})
}

// A member is asked for its digest, says what it keeps, and begins anew: it is asked once more, though what it said comes
// after that.
func TestDigestIsOver(t *testing.T) {
	check(t, faultinject.Replicas{Unheard: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abcd", f)
		a := tb.nodes["a"]
		w, _ := tb.write(a, 1, false, "")
		a.core.Install(w)
		a.core.Untold("b")
		a.core.Asks("b")
		epoch, lines, _ := tb.nodes["b"].core.Digest("a", tb.views)
		said := slices.Collect(lines)
		tb.anew("b")
		a.core.Untold("b")
		a.core.Digested("b", a.core.Epoch(), epoch, store.Version{}, said, true)
		for _, id := range a.core.Ask() {
			tb.digests(a, id)
		}
		tb.mend(a, ms)
		return tb.has("b") != 1
	})
}

// The same beside a write that nobody was sent, and that is given up after it.
func TestNewestGoesWithTheGroupBesideAWrite(t *testing.T) {
	check(t, faultinject.Replicas{LeaveWritten: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abcd", f)
		a := tb.nodes["a"]
		w, _ := tb.write(a, 1, false, "")
		a.core.Install(w)
		w, err := a.core.Begin(0, &store.Entry{Version: store.Version{Clock: 3}})
		if err != nil {
			t.Fatal(err)
		}
		tb.nodes["d"].Set(0, &store.Entry{Version: store.Version{Clock: 2}})
		a.core.Untold("d")
		tb.digests(a, "d")
		tb.anew("d")
		a.core.Untold("d")
		tb.digests(a, "d")
		a.core.Abandon(w)
		for range 3 {
			for _, id := range a.core.Ask() {
				tb.digests(a, id)
			}
			tb.mend(a, ms)
		}
		return !a.core.Shows(0) || tb.has("a") != 1 || tb.has("b") != 1
	})
}

// All are asked anew what they have, for the sake of another key, and one that was gained is evicted when who has its copy
// has told that already: the copy is dropped, or a Delete would leave it.
func TestEvictedWhileAllAreAskedAgain(t *testing.T) {
	check(t, faultinject.Replicas{HideGained: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abcd", f)
		a := tb.nodes["a"]
		w, _ := tb.write(a, 1, false, "")
		a.core.Install(w)
		tb.nodes["d"].Set(1, &store.Entry{Version: store.Version{Clock: 2}})
		b := tb.view("bcd", false)
		b.core.Own()
		for range 5 {
			for _, s := range b.core.Work(ms, 100) {
				if s.Hash == 0 { // the other key is not fetched
					tb.carry(b, s)
				}
			}
		}
		tb.anew("d")
		b.core.Untold("d")
		tb.digests(b, "d")
		if b.core.Ready() || tb.has("c") != 1 {
			t.Fatal("not all are asked again")
		}
		tb.digests(b, "c")
		b.Delete(0)
		b.core.Evicted(0, store.Version{Clock: 1})
		tb.digests(b, "d")
		tb.mend(b, ms)
		return tb.has("c") != 0
	})
}

// Only one member has the newest version, and closes the group before its owner has that: the one before it is the value,
// as if the member had crashed.
func TestNewestGoesWithTheGroup(t *testing.T) {
	check(t, faultinject.Replicas{TraceOfGone: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abcd", f)
		a := tb.nodes["a"]
		w, _ := tb.write(a, 1, false, "b") // a and c have it
		a.core.Install(w)
		tb.nodes["d"].Set(0, &store.Entry{Version: store.Version{Clock: 2}})
		b := tb.adopt("bcd", false)
		b.core.Own()
		tb.digests(b, "cd")
		tb.anew("d")
		b.core.Untold("d")
		for range 3 {
			for _, id := range b.core.Ask() {
				tb.digests(b, id)
			}
			tb.mend(b, ms)
		}
		return !b.core.Shows(0) || tb.has("b") != 1
	})
}
