package replica

import (
	"slices"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A table is members whose every message the test carries by hand. There is one key, 0.
type table struct {
	t     *testing.T
	views uint64
	last  View
	nodes map[string]*node
}

// set makes members of the names a, b and so on, with two copies, in a view in which a owns the key
// and the others follow it.
func set(t *testing.T, names string, f faultinject.Replicas) *table {
	tb := &table{t: t, nodes: make(map[string]*node)}
	w := &world{t: t, now: ms}
	for _, r := range names {
		id := string(r)
		n := &node{w: w, name: id, id: id, held: make(map[uint64]*store.Entry)}
		n.core = New(Config{Self: id, Copies: 2, Held: n, Faults: &f, Trace: func(_ uint64, v store.Version) *store.Entry {
			return &store.Entry{Version: v, Negative: true}
		}})
		tb.nodes[id] = n
	}
	tb.view(names, false)
	for _, n := range tb.nodes {
		n.core.Own()
	}
	return tb
}

// view has members adopt a view, in the order of the key, and tells its owner their digests.
func (tb *table) view(names string, kept bool) (owner *node) {
	owner = tb.adopt(names, kept)
	for _, id := range names {
		for tb.nodes[string(id)].core.Carry(1) {
		}
	}
	for _, id := range names[1:] {
		tb.digest(owner, string(id))
	}
	return owner
}

// adopt has members adopt a view, in the order of the key. Nothing has been carried over yet.
func (tb *table) adopt(names string, kept bool) (owner *node) {
	tb.views++
	ids := make([]string, len(names))
	for i := range names {
		ids[i] = names[i : i+1]
	}
	v := View{ID: tb.views, Members: slices.Sorted(slices.Values(ids)), Owner: func(uint64) string { return ids[0] },
		Successors: func(_ uint64, n int) []string { return slices.Clone(ids[:min(n, len(ids))]) }}
	if kept {
		v.Kept = func(uint64) bool { return true }
	}
	tb.last = v
	for _, id := range ids {
		tb.nodes[id].core.Adopt(v)
	}
	return tb.nodes[ids[0]]
}

// digest tells an owner the digest of another member.
func (tb *table) digest(owner *node, id string) {
	n := tb.nodes[id]
	n.core.Begun(owner.id, owner.core.First())
	epoch, list, ok := n.core.Digest(owner.id, tb.views)
	if !ok {
		tb.t.Fatal("no digest")
	}
	owner.core.Digested(id, owner.core.Epoch(), epoch, n.core.Cleared(), slices.Collect(list), true)
}

// carry has the receiver of a request carry it out, and tells the sender.
func (tb *table) carry(from *node, s Send) {
	from.core.Answered(s, tb.nodes[s.To].core.Handle(from.id, s), 0)
}

// write begins a write, and carries it but to those who do not answer: they may carry it out later, and
// what was sent to them is returned. It is not installed yet.
func (tb *table) write(n *node, clock uint64, deleted bool, silent string) (w *Write, late []Send) {
	w, err := n.core.Begin(0, &store.Entry{Version: store.Version{Clock: clock}, Negative: deleted})
	if err != nil {
		tb.t.Fatal(err)
	}
	for {
		sends, state := n.core.Next(w, 0)
		if state == Enough {
			return w, late
		}
		if len(sends) == 0 {
			tb.t.Fatalf("state %v", state)
		}
		for _, s := range slices.Clone(sends) {
			if slices.Contains([]byte(silent), s.To[0]) {
				late = append(late, s)
				n.core.Answered(s, Answer{}, 0)
			} else {
				tb.carry(n, s)
			}
		}
	}
}

// mend makes what copies are missing, at a time, and drops what is too much.
func (tb *table) mend(n *node, now int64) {
	for range 20 {
		for _, s := range n.core.Work(now, 100) {
			tb.carry(n, s)
		}
	}
}

// has returns the version that a member holds.
func (tb *table) has(id string) uint64 { return VersionOf(tb.nodes[id].Peek(0)).Clock }

// deletedAtLast has a value taken by the last member in turn, for the ones before it do not answer, then by
// the first after all, and deleted when that has settled. Of what was sent to who did not answer meanwhile calls
// each before, and the rest after the Delete.
func deletedAtLast(t *testing.T, f faultinject.Replicas, before, after func(tb *table, s Send)) *table {
	tb := set(t, "abcd", f)
	a := tb.nodes["a"]
	w, late := tb.write(a, 1, false, "bc")
	if !a.core.Install(w) || tb.has("d") != 1 {
		t.Fatal("the value was not installed")
	}
	for _, s := range late[1:] {
		before(tb, s)
	}
	tb.mend(a, ms) // nobody is passed over any more
	w, _ = tb.write(a, 2, true, "")
	if !a.core.Install(w) {
		t.Fatal("the Delete was not installed")
	}
	tb.mend(a, ms)
	for _, s := range late[1:] {
		after(tb, s)
	}
	if n := a.core.Stats().Noted; n > 0 || tb.has("a") > 0 || tb.has("b") > 0 || tb.has("d") > 0 {
		t.Fatalf("%d notes; it is not at rest: %s", n, a.core.describe())
	}
	a = tb.view("abcd", true)
	tb.mend(a, ms)
	return tb
}

func never(*table, Send) {}

// Whoever has a rule off is caught.
func check(t *testing.T, f faultinject.Replicas, breaks func(f faultinject.Replicas) bool) {
	t.Helper()
	if breaks(faultinject.Replicas{}) {
		t.Error("broken")
	}
	if breaks(f) == false {
		t.Error("not noticed")
	}
}

// A copy that comes to a member after it was told to drop what it has is not taken: it would be there again
// when its key has been deleted.
func TestCopyComesAfterTheDrop(t *testing.T) {
	check(t, faultinject.Replicas{TakeLate: true}, func(f faultinject.Replicas) bool {
		tb := deletedAtLast(t, f, never, func(tb *table, s Send) { tb.nodes[s.To].core.Handle("a", s) })
		return tb.has("a") > 0 || tb.has("c") > 0
	})
}

// Who was sent a copy and has not answered may have it, and drops it before the trace of a Delete goes.
func TestCopyThatWasNotAnswered(t *testing.T) {
	check(t, faultinject.Replicas{NoteLater: true}, func(f faultinject.Replicas) bool {
		tb := deletedAtLast(t, f, func(tb *table, s Send) { tb.nodes[s.To].core.Handle("a", s) }, never)
		return tb.has("a") > 0 || tb.has("c") > 0
	})
}

// A write has its copy, the key goes to another owner while leases are recalled, and the holder crashes: who
// owns it now knows nothing of it, so it must not count.
func TestViewChangesDuringTheRecall(t *testing.T) {
	check(t, faultinject.Replicas{LookOnce: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abc", f)
		a := tb.nodes["a"]
		w, _ := tb.write(a, 1, false, "")
		c := tb.view("ca", false)
		c.core.Own()
		if !c.core.Shows(0) || tb.has("c") > 0 {
			t.Fatal("the new owner does not answer that there is nothing")
		}
		return a.core.Install(w)
	})
}

// An owner is cut off and has the right to act by the former view. The next one must neither show nor write
// the key until nobody outside its view can act: else one shows what is older than what the other wrote.
func TestFormerOwnerMayAct(t *testing.T) {
	check(t, faultinject.Replicas{NoWait: true}, func(f faultinject.Replicas) bool {
		tb := set(t, "abc", f)
		a := tb.nodes["a"]
		w, _ := tb.write(a, 1, false, "")
		if !a.core.Install(w) {
			t.Fatal("not installed")
		}
		b := tb.view("bc", false) // a has not heard of it
		tb.mend(b, ms)
		if !a.core.Shows(0) {
			t.Fatal("the former owner does not act")
		}
		_, err := b.core.Begin(0, &store.Entry{Version: store.Version{Clock: 2}})
		early := b.core.Shows(0) || err == nil
		b.core.Own()
		tb.mend(b, ms)
		if !b.core.Shows(0) || tb.has("b") != 1 || tb.has("c") != 1 {
			t.Fatal("the new owner never acts")
		}
		return early
	})
}
