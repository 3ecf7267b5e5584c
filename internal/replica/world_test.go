package replica

import (
	"cmp"
	"container/heap"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// Times are a tenth of what a mesh has, so that a run has many changes.
const (
	ms        = int64(time.Millisecond)
	patience  = 25 * ms   // a call is given up after that
	right     = 300 * ms  // a right to act lasts
	traceFor  = 6000 * ms // an hour
	keyCount  = 4
	detection = 100 * ms // until a member that is gone is missed
)

// A world is a mesh of cores on a network with slow and cut links. Who is in the mesh, and
// who may act, is decided by the world as package quorum would.
type world struct {
	t      testing.TB
	rnd    *rand.Rand
	now    int64
	events events
	copies int
	sizes  bool // some members are small, and some values large
	fewer  bool
	steps  bool // keys are carried over one at a time
	anews  bool // groups are closed and registered again
	evicts bool // owners evict values
	conds  bool // some writes are made on a condition
	sizing bool // members get smaller, and larger again, until all is healed
	parts  uint32
	faults faultinject.Replicas
	trace  bool

	names  []string
	nodes  map[string]*node // by name: the latest run
	runs   int
	target *meshView // the newest view
	views  int
	slow   map[[2]string]int64 // delays of slow links, by names
	gone   int                 // members that went since all copies were made
	broke  string
	keys   [keyCount]history
	counts struct{ sets, nils, reads, maybes, views, hidden, clears, unheld, midway, evicted, anew, nothing, conditions, unreached, unheldHere int }
}

// meshView is a view that the world made.
type meshView struct {
	number  int
	members []*node
	staying []*node
	missing []*node // that may act yet
	settled bool
	order   [keyCount][]string // staying, from each key on
}

func (v *meshView) has(n *node) bool { return slices.Contains(v.members, n) }

// place puts the members that stay in the order of weights, as on a ring.
func (v *meshView) place() {
	for hash := range uint64(keyCount) {
		list := slices.Clone(v.staying)
		slices.SortFunc(list, func(a, b *node) int { return cmp.Compare(weight(hash, a.name), weight(hash, b.name)) })
		for _, n := range list {
			v.order[hash] = append(v.order[hash], n.id)
		}
	}
}

func (v *meshView) successors(hash uint64, most int) (ids []string) {
	return slices.Clone(v.order[hash][:min(most, len(v.order[hash]))])
}

func (v *meshView) owner(hash uint64) string {
	if s := v.successors(hash, 1); len(s) > 0 {
		return s[0]
	}
	return ""
}

func weight(hash uint64, name string) uint64 {
	x := hash*0x9E3779B97F4A7C15 + uint64(name[0])*0xBF58476D1CE4E5B9
	x ^= x >> 29
	x *= 0x94D049BB133111EB
	return x ^ x>>32
}

// node is a member of the world.
type node struct {
	w       *world
	name    string
	id      string
	core    *Core
	held    map[uint64]*store.Entry
	run     uint32
	clock   uint64
	skew    uint64
	view    *meshView
	before  []*meshView // since the one that settled last
	base    *meshView   // that settled last
	settled bool
	right   int64
	primary uint32
	small   bool // it holds no large values
	part    uint32
	apart   bool // it keeps no copies now
	dead    bool
	cut     bool
	cutAt   int64
	asking  map[string]bool
	working int
	writing map[uint64]bool
}

// newCore returns what a part of the group decides by, which has no view yet.
func (n *node) newCore() *Core {
	w := n.w
	return New(Config{Self: n.id, Copies: w.copies, Fewer: w.fewer, Held: n, Epoch: EpochOf(n.part), Faults: &w.faults, Silent: 2 * patience,
		Trace: func(hash uint64, v store.Version) *store.Entry {
			if v == (store.Version{}) {
				v = n.tick()
				w.keys[hash].deletes = append(w.keys[hash].deletes, v)
			}
			return &store.Entry{Version: v, Negative: true, Expires: w.now + traceFor}
		}})
}

// viewOf returns a view as the core has it.
func (n *node) viewOf(v *meshView) View {
	w := n.w
	before := n.before
	ids := make([]string, len(v.members))
	for i, m := range v.members {
		ids[i] = m.id
	}
	cv := View{ID: uint64(v.number), Members: ids, Owner: v.owner, Successors: v.successors, Missing: len(v.missing) > 0}
	if before != nil {
		cv.Kept = func(hash uint64) bool {
			return !slices.ContainsFunc(before, func(b *meshView) bool { return b.owner(hash) != n.id })
		}
	}
	cv.Outdated = n.cutAt != 0 && w.now-n.cutAt > traceFor/2
	return cv
}

func (n *node) Peek(hash uint64) *store.Entry {
	e := n.held[hash]
	if e != nil && e.Expires != 0 && n.w.now >= e.Expires {
		return nil
	}
	return e
}
func (n *node) Set(hash uint64, e *store.Entry) bool {
	if _, ok := n.Takes(e); !ok {
		n.Delete(hash)
		return false
	}
	n.held[hash] = &store.Entry{Key: e.Key, Data: e.Data, Version: e.Version, Negative: e.Negative, Expires: e.Expires}
	n.see(e.Version.Clock)
	return true
}
func (n *node) Takes(e *store.Entry) (Limit, bool) {
	return Limit{OfValue, 1}, !n.small || len(e.Data) <= 1
}
func (n *node) Delete(hash uint64) { delete(n.held, hash) }
func (n *node) Range(f func(uint64, *store.Entry) bool) {
	for hash := range uint64(keyCount) {
		if e := n.Peek(hash); e != nil && !f(hash, e) {
			return
		}
	}
}

func (n *node) Walk(at store.Place, f func(uint64, *store.Entry)) (store.Place, bool) {
	if e := n.Peek(at.From); e != nil {
		f(at.From, e)
	}
	at.From++
	return at, at.From < keyCount
}

func (n *node) see(v uint64) { n.clock = max(n.clock, v) }

// tick returns a version.
func (n *node) tick() store.Version {
	n.clock = max(n.clock+1, uint64(n.w.now)+n.skew)
	return store.Version{Clock: n.clock, Primary: n.primary, Run: n.run}
}

func (n *node) entry(value int, deleted bool) *store.Entry {
	e := &store.Entry{Version: n.tick(), Negative: deleted, Data: []byte{byte(value)}}
	if n.w.sizes && value%3 == 0 && !deleted {
		e.Data = append(e.Data, "large"...)
	}
	if deleted {
		e.Expires = n.w.now + traceFor
	}
	return e
}

type event struct {
	at  int64
	seq int
	f   func()
}
type events struct {
	list []event
	seq  int
}

func (q *events) Len() int { return len(q.list) }
func (q *events) Less(i, j int) bool {
	a, b := q.list[i], q.list[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}
func (q *events) Swap(i, j int) { q.list[i], q.list[j] = q.list[j], q.list[i] }
func (q *events) Push(x any)    { q.list = append(q.list, x.(event)) }
func (q *events) Pop() any {
	last := q.list[len(q.list)-1]
	q.list = q.list[:len(q.list)-1]
	return last
}

func (w *world) after(d int64, f func()) {
	w.events.seq++
	heap.Push(&w.events, event{w.now + d, w.events.seq, f})
}

// run lets time pass until something is broken.
func (w *world) run(d int64) {
	until := w.now + d
	for w.broke == "" && len(w.events.list) > 0 && w.events.list[0].at <= until {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.f()
	}
	w.now = until
}

func (w *world) log(format string, args ...any) {
	if w.trace {
		w.t.Logf("%8.1f "+format, append([]any{float64(w.now) / float64(ms)}, args...)...)
	}
}

// show is a Send in logs.
type show Send

func (s show) String() string {
	return sprintf("%s %d %v #%d", [...]string{Store: "store", Drop: "drop", Fetch: "fetch"}[s.Op], s.Hash, s.Version, s.Number)
}
