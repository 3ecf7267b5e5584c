package replica

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// midway has the key written, with version 1 at a and b, and a view adopted in which c has the copy in the
// place of b. Nothing was carried over.
func midway(t *testing.T, f faultinject.Replicas) (*table, *node) {
	tb := set(t, "abcd", f)
	a := tb.nodes["a"]
	w, _ := tb.write(a, 1, false, "")
	if !a.core.Install(w) || tb.has("b") != 1 {
		t.Fatal("the value was not installed")
	}
	tb.mend(a, ms)
	tb.adopt("acbd", true)
	return tb, a
}

// finish carries everything over, tells the owner all digests, and makes what copies are missing.
func (tb *table) finish(owner *node, others string) {
	for owner.core.Carry(1) {
	}
	for _, id := range others {
		tb.digest(owner, string(id))
	}
	tb.mend(owner, ms)
}

// A key was hidden in the former view: it is in this one, before it was reached.
func TestHiddenKeyIsAskedForMidway(t *testing.T) {
	check(t, faultinject.Replicas{PassBy: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abcd", f)
		a := tb.nodes["a"]
		w, err := a.core.Begin(0, &store.Entry{Version: store.Version{Clock: 1}})
		if err != nil {
			t.Fatal(err)
		}
		sends, _ := a.core.Next(w, 0)
		a.core.Answered(sends[0], Answer{}, 0)
		a.core.Abandon(w) // a has it, and perhaps b
		tb.adopt("acbd", true)
		early := a.core.Shows(0)
		tb.finish(a, "bcd")
		if !a.core.Shows(0) || tb.has("c") != 1 {
			t.Fatal("it is never shown")
		}
		return early
	})
}

// A digest comes before its key was reached: who has the copy by the new view alone has none.
func TestDigestComesMidway(t *testing.T) {
	check(t, faultinject.Replicas{PassBy: true}, func(f faultinject.Replicas) bool {
		tb, a := midway(t, f)
		tb.digest(a, "b")
		tb.finish(a, "cd")
		return tb.has("b")+tb.has("c") == 0
	})
}

// The value of a key that was not reached is evicted: its copies go from where they were by the former view.
func TestEvictedMidway(t *testing.T) {
	check(t, faultinject.Replicas{PassBy: true, DropFirst: true}, func(f faultinject.Replicas) bool {
		tb, a := midway(t, f)
		tb.digest(a, "c")
		version := VersionOf(a.Peek(0))
		a.Delete(0)
		a.core.Evicted(0, version)
		a.core.Digested("b", a.core.Epoch(), tb.nodes["b"].core.Epoch(), store.Version{}, nil, false) // its line comes later
		tb.mend(a, ms)
		tb.finish(a, "bd")
		return tb.has("a")+tb.has("b")+tb.has("c") > 0
	})
}

// The value of a key expires before the key was reached, and somebody has an older one: that does not come back.
func TestExpiresMidway(t *testing.T) {
	check(t, faultinject.Replicas{PassBy: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abcd", f)
		a := tb.nodes["a"]
		w, _ := tb.write(a, 1, false, "")
		a.core.Install(w)
		tb.mend(a, ms)
		write, err := a.core.Begin(0, &store.Entry{Version: store.Version{Clock: 2}, Expires: 10 * ms})
		if err != nil {
			t.Fatal(err)
		}
		for sends, state := a.core.Next(write, 0); state == Waiting; sends, state = a.core.Next(write, 0) {
			if s := sends[0]; s.To == "b" {
				a.core.Answered(s, Answer{}, 0)
			} else {
				tb.carry(a, s)
			}
		}
		if !a.core.Install(write) || tb.has("c") != 2 || tb.has("b") != 1 {
			t.Fatal("the second value was not installed")
		}
		tb.adopt("abcd", true)
		a.w.now = 20 * ms
		tb.digest(a, "b")
		tb.finish(a, "cd")
		return tb.has("a") == 1 || tb.has("b") == 1
	})
}

// The copies of a key come to be where they should be before the walk reaches it, and its note goes: who had
// the copy before has none.
func TestMendedMidway(t *testing.T) {
	check(t, faultinject.Replicas{CarryTwice: true}, func(f faultinject.Replicas) bool {
		tb, a := midway(t, f)
		tb.digest(a, "b")
		tb.digest(a, "c")
		tb.mend(a, ms)
		if tb.has("b") != 0 || tb.has("c") != 1 || len(a.core.notes) > 0 {
			t.Fatal("the copies are not where they should be")
		}
		for a.core.Carry(1) {
		}
		tb.view("abd", true)
		tb.mend(a, ms)
		return tb.has("b") != 1
	})
}

// A key is written before it was reached: who had the former value drops it.
func TestWrittenMidway(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		tb, a := midway(t, faultinject.Replicas{})
		tb.digest(a, "c")
		w, _ := tb.write(a, 2, deleted, "")
		if !a.core.Install(w) || !a.core.Shows(0) || VersionOf(a.Peek(0)).Clock != 2 {
			t.Fatal("what was written is not shown")
		}
		tb.finish(a, "bd")
		want := uint64(2)
		if deleted {
			want = 0
		}
		if tb.has("a") != want || tb.has("c") != want || tb.has("b") != 0 || len(a.core.notes) > 0 {
			t.Errorf("deleted %v: a has %d, c %d, b %d; %s", deleted, tb.has("a"), tb.has("c"), tb.has("b"), a.core.describe())
		}
	}
}

// A Clear comes before a key was reached that has a note: the value was not lost, and leaves no trace.
func TestClearedMidway(t *testing.T) {
	tb := set(t, "abcd", faultinject.Replicas{})
	a := tb.nodes["a"]
	w, _ := tb.write(a, 1, false, "b") // c has the copy, so there is a note
	a.core.Install(w)
	tb.adopt("abcd", true)
	cleared := store.Version{Clock: 5}
	for _, n := range tb.nodes {
		n.core.NoteClear(cleared)
	}
	for _, n := range tb.nodes {
		n.core.Clear(cleared)
	}
	tb.finish(a, "bcd")
	if s := a.core.Stats(); s.Lost > 0 || s.Noted > 0 || a.Peek(0) != nil || !a.core.Shows(0) {
		t.Errorf("%+v, it holds %v", s, VersionOf(a.Peek(0)))
	}
}

// Views come so fast that nothing is carried over: what is remembered of them is bounded, and a key is shown again
// when all have told what they have.
func TestManyViewsMidway(t *testing.T) {
	for views := 1; views < 3*maxFormers; views++ {
		tb, a := midway(t, faultinject.Replicas{})
		for i := range views {
			tb.adopt([]string{"acbd", "adbc", "abcd"}[i%3], true)
		}
		if n := len(a.core.formers); n > maxFormers {
			t.Fatalf("%d views are remembered", n)
		}
		if known := views < maxFormers; a.core.Shows(0) != known {
			t.Errorf("after %d views more the key is shown: %v", views, !known)
		}
		tb.finish(a, "bcd")
		a.core.Own()
		tb.mend(a, ms)
		if !a.core.Shows(0) || tb.has("b")+tb.has("c")+tb.has("d") != 1 || len(a.core.notes) > 0 {
			t.Errorf("after %d views more it is not as it should be: %s", views, a.core.describe())
		}
		tb.view("abcd", true)
		if !a.core.Shows(0) {
			t.Errorf("after %d views more, and another, the key is not shown", views)
		}
	}
}

// The view changes again before the key was reached, and those that shall have copies do not: by the one in
// between nobody was sent any.
func TestViewChangesMidway(t *testing.T) {
	check(t, faultinject.Replicas{SkipView: true}, func(f faultinject.Replicas) bool {
		tb, a := midway(t, f)
		tb.adopt("acdb", true)
		tb.finish(a, "bcd")
		if !a.core.Shows(0) {
			t.Fatal("it is not shown")
		}
		return tb.has("c") != 1
	})
}

// A key was gained, and all digests were in, but it was not reached when the view changes again: it is not one that was
// shown.
func TestGainedMidway(t *testing.T) {
	check(t, faultinject.Replicas{KeepGained: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abcd", f)
		a := tb.nodes["a"]
		w, _ := tb.write(a, 1, false, "")
		a.core.Install(w)
		b := tb.adopt("bcd", false)
		tb.digest(b, "c")
		tb.digest(b, "d")
		b.core.Own()
		if !b.core.Ready() {
			t.Fatal("the digests are not in")
		}
		tb.adopt("bcd", true)
		early := b.core.Shows(0)
		tb.finish(b, "cd")
		if !b.core.Shows(0) || tb.has("c") != 1 {
			t.Fatal("it is never shown")
		}
		return early
	})
}
