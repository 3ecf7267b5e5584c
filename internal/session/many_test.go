package session

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// getMany asks for copies of all keys in one call, which are granted one after the other: the holder's session may be
// broken, and it may have another, before the last one is. What is granted under another than the first is not kept; in a
// build without that rule (mixes) the answer has the last number, and all are kept under it.
func (h *simHolder) getMany(mixes bool) {
	w, sent, stamp, life, marks := h.w, h.clock(), h.holder.Stamp(), h.life, h.invalids
	if w.now < max(h.sleeps, h.pauses, w.quiet) {
		return
	}
	renew := h.holder.IsDue("o", sent)
	w.send(func() {
		var renewed, number uint64
		var term int64
		var versions [simKeys]int
		var kept [simKeys]bool
		if !h.in || h.life != life {
			return
		}
		if renew {
			renewed, term = w.granted.Renew(h.peer(), w.era, w.now, w.right)
		}
		answer := func() {
			w.send(func() {
				h.deliver(func() {
					if renew && h.life == life && (number == 0 || number == renewed) {
						h.holder.Renewed("o", renewed, term, sent, stamp)
					}
					s := h.holder.OfNumber("o", number, sent)
					for k := range kept {
						if s != nil && kept[k] && h.invalids[k] == marks[k] {
							h.copies[k] = simCopy{s, versions[k]}
						}
					}
				})
			})
		}
		var next func(k int)
		next = func(k int) {
			if k == simKeys {
				answer()
				return
			}
			granted, version := w.grant(h, k)
			if granted != 0 && number != 0 && granted != number {
				w.mixed++
			}
			if versions[k] = version; granted != 0 && (number == 0 || granted == number || mixes) {
				number, kept[k] = granted, true
			}
			w.after(w.rng.Int64N(400), func() { next(k + 1) }) // the next one is loaded
		}
		next(0)
	})
}

// runMany plays a seed in which holders get many keys at once, too.
func runMany(seed uint64, mixes bool) *world {
	w := newWorld(seed, faultinject.Sessions{})
	var many func()
	many = func() {
		w.holders[w.rng.IntN(len(w.holders))].getMany(mixes)
		w.after(w.rng.Int64N(300), many)
	}
	many()
	w.play()
	return w
}

// TestCopiesUnderTwoSessions: a holder's session is broken while copies of many keys are granted to it, and none is served
// that its owner does not know of.
func TestCopiesUnderTwoSessions(t *testing.T) {
	mixed := 0
	for seed := range uint64(100) {
		w := runMany(seed, false)
		if w.failed != nil {
			t.Fatalf("seed %d: %v", seed, w.failed)
		}
		mixed += w.mixed
	}
	if t.Logf("%d copies were granted under another session than the first of their call", mixed); mixed == 0 {
		t.Error("no call had copies under two sessions")
	}
	for seed := range uint64(1000) {
		if w := runMany(seed, true); w.failed != nil {
			t.Logf("seed %d without the rule: %v", seed, w.failed)
			return
		}
	}
	t.Error("a build that mixes them is not noticed")
}
