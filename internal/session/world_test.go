package session

import (
	"container/heap"
	"fmt"
	"math/rand/v2"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// A world is one owner of a few keys and some holders of copies, on a network that delays, reorders and
// loses messages, with members that pause, are suspended, leave and come back, and clocks that drift. Its
// time is in milliseconds.
type world struct {
	rng    *rand.Rand
	now    int64
	events events
	order  int

	granted *Granted
	era     uint32
	right   int64 // of the owner, until then
	quiet   int64 // nobody reads until then
	keys    [simKeys]simKey
	holders []*simHolder

	reads, hits, waits int
	mixed              int   // copies that were granted under another session than others of their call
	longest            int64 // that a write took
	failed             error
}

const (
	simKeys = 4
	simTerm = 1000
)

type simKey struct {
	version, completed int
	stored             int    // the version that the owner has in memory
	era                uint32 // in which that was stored
	writing            int64  // since when; 0: not
	slots              map[Slot]bool
}

type simHolder struct {
	w        *world
	id       int
	holder   *Holder
	life     uint32
	in       bool // the owner's view has it
	slow     int64
	stood    int64 // for how long its clock stood still
	sleeps   int64 // until then its clock stands still
	pauses   int64 // until then it does nothing
	deaf     int64 // until then nothing reaches it
	copies   [simKeys]simCopy
	invalids [simKeys]int // counts invalidations: a fetch that began before one keeps nothing
}

type simCopy struct {
	held    *Held
	version int
}

type event struct {
	at    int64
	order int
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() (x any) {
	last := len(*e) - 1
	x = (*e)[last]
	*e = (*e)[:last]
	return x
}

func newWorld(seed uint64, faults faultinject.Sessions) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 3)), granted: NewGranted(simTerm, faults), now: 1, right: 1 << 60}
	for i := range w.keys {
		w.keys[i].slots = make(map[Slot]bool)
	}
	for i := range 3 {
		w.holders = append(w.holders, &simHolder{w: w, id: i, holder: NewHolder(simTerm, faults), in: true, slow: w.rng.Int64N(2) * 64})
	}
	return w
}

func (w *world) after(d int64, do func()) {
	w.order++
	heap.Push(&w.events, event{w.now + d, w.order, do})
}

// send carries a message in up to so many milliseconds, or loses it.
func (w *world) send(do func()) {
	if w.rng.IntN(20) > 0 {
		w.after(1+w.rng.Int64N(1+w.rng.Int64N(200)), do)
	}
}

// clock is a holder's own time while it is awake: up to a sixty-fourth slower than the owner's, and behind by what
// it slept.
func (h *simHolder) clock() int64 {
	t := h.w.now - h.stood
	if h.slow > 0 {
		t -= t / h.slow
	}
	return t
}

// deliver hands a message to a holder when it is awake, unless nothing reaches it.
func (h *simHolder) deliver(do func()) {
	w := h.w
	switch until := max(h.sleeps, h.pauses); {
	case w.now < h.deaf:
	case w.now < until:
		w.after(until-w.now+1, func() { h.deliver(do) })
	default:
		do()
	}
}

// step does something that may happen at any time.
func (w *world) step() {
	h := w.holders[w.rng.IntN(len(w.holders))]
	k := w.rng.IntN(simKeys)
	switch n := w.rng.IntN(1000); {
	case n < 900:
		h.read(k)
	case n < 975:
		w.write(k)
	case n < 980:
		h.pauses = max(h.pauses, w.now+w.rng.Int64N(2*simTerm))
	case n < 985:
		h.sleep(w.rng.Int64N(3 * simTerm))
	case n < 990:
		h.deaf = w.now + w.rng.Int64N(3*simTerm)
	case n < 993:
		w.loseRight()
	case n < 996:
		h.leave()
	default: // nobody reads for a while
		w.quiet = w.now + w.rng.Int64N(3*simTerm)
	}
}

// read is a Get on a holder.
func (h *simHolder) read(k int) {
	w := h.w
	if w.now < max(h.sleeps, h.pauses, w.quiet) {
		return
	}
	w.reads++
	now, c := h.clock(), h.copies[k]
	if c.held != nil && now < c.held.Until() {
		w.hits++
		if c.version < w.keys[k].completed {
			w.failed = fmt.Errorf("at %d holder %d reads version %d of key %d, and %d was written", w.now, h.id, c.version, k, w.keys[k].completed)
		}
		if c.held.Due(now) {
			h.ask(-1, true)
		}
		return
	}
	h.ask(k, h.holder.IsDue("o", now))
}

// ask sends a Get of a key, if it is not negative, with or without a renewal.
func (h *simHolder) ask(k int, renew bool) {
	w, sent, stamp, life := h.w, h.clock(), h.holder.Stamp(), h.life
	mark := 0
	if k >= 0 {
		mark = h.invalids[k]
	}
	w.send(func() {
		var number, granted uint64
		var term int64
		version := 0
		if !h.in || h.life != life {
			return
		}
		if renew {
			if number, term = w.granted.Renew(h.peer(), w.era, w.now, w.right); number == 0 && w.granted.Probe(h.name()) {
				w.after(w.rng.Int64N(50), func() { w.granted.Probed(h.name(), w.now >= h.deaf) })
			}
		}
		if k >= 0 {
			granted, version = w.grant(h, k)
		}
		w.send(func() {
			h.deliver(func() {
				if renew && h.life == life {
					h.holder.Renewed("o", number, term, sent, stamp)
				}
				if k >= 0 && granted != 0 && h.invalids[k] == mark {
					if s := h.holder.OfNumber("o", granted, sent); s != nil {
						h.copies[k] = simCopy{s, version}
					}
				}
			})
		})
	})
}

func (h *simHolder) name() string { return fmt.Sprint("h", h.id) }
func (h *simHolder) peer() Peer   { return Peer{h.name(), h.life} }

// sleep lets a holder's clock stand still, and then it wakes and drops everything.
func (h *simHolder) sleep(d int64) {
	w := h.w
	if w.now < h.sleeps {
		return
	}
	h.sleeps = w.now + d
	w.after(d, func() {
		h.stood += d
		h.sleeps = 0
		h.drop()
	})
}

// drop is what a holder does when it cannot know what became of its copies.
func (h *simHolder) drop() {
	h.holder.KillAll()
	for k := range h.copies {
		h.copies[k] = simCopy{}
		h.invalids[k]++
	}
}
