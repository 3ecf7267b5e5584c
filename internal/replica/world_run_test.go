package replica

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// newSizedWorld is newWorld, where with sizes some members cannot hold some values, and with fewer as many
// copies will do as there can be.
func newSizedWorld(t testing.TB, seed uint64, members, copies int, sizes, fewer bool, f faultinject.Replicas, trace bool) *world {
	w := &world{sizes: sizes, fewer: fewer, t: t, rnd: rand.New(rand.NewPCG(seed, 3)), now: ms, copies: copies, faults: f, trace: trace,
		nodes: make(map[string]*node), slow: make(map[[2]string]int64)}
	for i := range members {
		w.start(string(rune('a' + i)))
	}
	w.change()
	w.tick()
	w.run(100 * ms)
	return w
}

// start begins a run of a member.
func (w *world) start(name string) *node {
	w.runs++
	n := &node{w: w, name: name, run: uint32(w.runs), id: fmt.Sprintf("%s%d", name, w.runs), held: make(map[uint64]*store.Entry),
		skew: w.rnd.Uint64N(uint64(200 * ms)), asking: make(map[string]bool), writing: make(map[uint64]bool)}
	n.small = w.sizes && w.rnd.IntN(2) == 0
	n.core = n.newCore()
	if w.nodes[name] == nil {
		w.names = append(w.names, name)
	}
	w.nodes[name] = n
	return n
}

// change makes a view of those that are there, which each of them adopts some time.
func (w *world) change(leaving ...*node) {
	w.views++
	w.counts.views++
	v := &meshView{number: w.views}
	for _, name := range w.names {
		n := w.nodes[name]
		if n.dead || n.cut {
			continue
		}
		v.members = append(v.members, n)
		if !slices.Contains(leaving, n) {
			v.staying = append(v.staying, n)
		}
	}
	slices.SortFunc(v.members, func(a, b *node) int { return cmp.Compare(a.id, b.id) })
	if w.target != nil {
		for _, m := range append(slices.Clone(w.target.members), w.target.missing...) {
			if !v.has(m) && !slices.Contains(v.missing, m) && (!m.dead || w.rnd.IntN(2) == 0) && w.nodes[m.name] == m {
				v.missing = append(v.missing, m)
			}
		}
	}
	if len(v.staying) < w.copies {
		w.gone = w.copies // nobody else may go until there are enough again
	}
	v.place()
	w.target = v
	for _, n := range v.members {
		w.after(w.rnd.Int64N(40*ms), func() {
			if !n.dead && w.target == v {
				n.adopt(v)
			}
		})
	}
}

func (n *node) adopt(v *meshView) {
	w := n.w
	switch old := n.view; {
	case old == nil || n.out():
		n.before = nil
	case n.settled && !n.core.Ready():
		n.before = nil
	case n.settled:
		n.before = []*meshView{old}
	case n.before != nil:
		n.before = append(slices.Clone(n.before), old)
	}
	cv := n.viewOf(v)
	n.cutAt = 0
	n.view, n.settled = v, false
	n.take(cv, v)
	w.log("%s adopts %d %v missing %d kept %v", n.id, v.number, cv.Members, len(v.missing), n.before != nil)
	n.ask()
}

// out reports whether others went on without this member.
func (n *node) out() bool { return n.cutAt != 0 }

// ask asks for digests that are not in.
func (n *node) ask() {
	if n.view == nil || n.apart {
		return
	}
	part, first := n.part, n.core.First()
	epoch, view := n.core.Epoch(), n.core.view.ID
	for _, id := range n.core.Ask() {
		to := n.byID(id)
		if n.asking[id] || to == nil {
			continue
		}
		n.asking[id] = true
		n.core.Asks(id)
		type digest struct {
			epoch   uint64
			cleared store.Version
			lines   []Line
		}
		n.w.call(n, to, func() any {
			to.core.Begun(n.id, first)
			e, lines, ok := to.core.Digest(n.id, view)
			if !ok {
				return nil
			}
			if to.apart {
				return digest{epoch: Apart + uint64(to.view.number)}
			}
			d := digest{epoch: e, cleared: to.core.Cleared()}
			for l := range lines {
				d.lines = append(d.lines, l)
				n.see(l.Version.Clock)
			}
			return d
		}, func(a any, answered bool) {
			if n.part != part {
				return
			}
			delete(n.asking, id)
			if d, ok := a.(digest); ok {
				n.see(d.cleared.Clock)
				n.core.Digested(id, epoch, d.epoch, d.cleared, d.lines, true)
				n.w.log("%s has the digest of %s: %v", n.id, id, d.lines)
			} else if !answered {
				n.core.Unreached(id, epoch, n.w.now)
			}
		})
	}
}

func (n *node) byID(id string) *node {
	for _, m := range n.view.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// call carries a request and its answer, each as late as the link is. The caller gives up
// after its patience; the request may be carried out after that.
func (w *world) call(from, to *node, handle func() any, done func(a any, answered bool)) {
	ended := false
	end := func(a any, answered bool) {
		if !ended {
			ended = true
			if !from.dead {
				done(a, answered)
			}
		}
	}
	w.after(patience, func() { end(nil, false) })
	w.carry(from, to, func() {
		a := handle()
		w.carry(to, from, func() { end(a, true) })
	})
}

func (w *world) carry(from, to *node, f func()) {
	d := ms/2 + w.rnd.Int64N(3*ms)
	if s := w.slow[[2]string{from.name, to.name}]; s > 0 {
		d = s/2 + w.rnd.Int64N(s)
	}
	if w.rnd.IntN(40) == 0 {
		d += w.rnd.Int64N(150 * ms)
	}
	if from.cut || to.cut {
		return
	}
	w.after(d, func() {
		if !from.cut && !to.cut && !to.dead {
			f()
		}
	})
}

// tick does what members do all the time.
func (w *world) tick() {
	for _, name := range w.names {
		n := w.nodes[name]
		if n.dead || n.view == nil {
			continue
		}
		n.renew()
		if n.apart {
			continue
		}
		n.ask()
		for _, s := range n.core.Work(w.now, 4-n.working) {
			n.working++
			n.send(s, func() { n.working-- })
		}
	}
	w.settle()
	if w.gone > 0 && len(w.target.staying) >= w.copies && w.whole() {
		w.log("whole")
		w.gone = 0
	}
	w.after(5*ms, w.tick)
}

// renew renews a right by a majority of the primary, of members that did not go on.
func (n *node) renew() {
	if n.base == nil || n.cut {
		return
	}
	yes := 0
	for _, g := range n.base.members {
		if g == n || !g.dead && !g.cut && g.view != nil && g.view.number <= n.view.number {
			yes++
		}
	}
	if 2*yes > len(n.base.members) {
		n.right = n.w.now + right
	}
}

// settle settles the newest view when all have it and every digest is in, and lets its
// members act once the right of those that are missing has lapsed.
func (w *world) settle() {
	v := w.target
	for _, n := range v.members {
		if n.dead || n.view != v || !n.apart && !n.core.Ready() {
			return
		}
	}
	if v.settled {
		return
	}
	v.settled = true
	d := int64(0)
	if len(v.missing) > 0 && !w.faults.NoWait {
		d = right + 5*ms
	}
	for _, n := range v.members {
		w.after(d+w.rnd.Int64N(5*ms), func() {
			if n.view == v && !n.dead {
				n.settled, n.base, n.primary = true, v, uint32(v.number)
				n.right = max(n.right, w.now)
				n.core.Own()
				w.log("%s settles %d", n.id, v.number)
			}
		})
	}
}

// whole reports whether everything has its copies.
func (w *world) whole() bool {
	for _, name := range w.names {
		n := w.nodes[name]
		if n.dead && !w.target.has(n) {
			continue
		}
		if n.dead || n.cut || n.view != w.target || !n.settled || n.core.Carries() || n.core.Stats().Lacking > 0 {
			return false
		}
	}
	return !w.unheard()
}

func (n *node) send(s Send, then func()) {
	to := n.byID(s.To)
	n.w.log("%s sends %s %s", n.id, s.To, show(s))
	n.w.call(n, to, func() any {
		a := Answer{Result: Refused}
		if !to.apart {
			a = to.core.Handle(n.id, s)
		}
		n.w.log("%s handles %s of %s: %+v", to.id, show(s), n.id, a.Result)
		return a
	}, func(x any, answered bool) {
		a, _ := x.(Answer)
		n.see(a.Version.Clock)
		n.core.Answered(s, a, n.w.now)
		then()
	})
}
