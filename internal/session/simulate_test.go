package session

import (
	"container/heap"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// grant notes a holder of a key, and returns under which session, and what the owner has in memory. What
// that had in a former era is loaded anew.
func (w *world) grant(h *simHolder, k int) (number uint64, version int) {
	key := &w.keys[k]
	if key.writing != 0 || w.now >= w.right {
		return 0, 0
	}
	if key.era != w.era && !w.granted.faults.GrantFormer {
		key.stored, key.era = key.version, w.era
	}
	slot, number := w.granted.Standing(h.name(), w.era)
	if number != 0 {
		key.slots[slot] = true
	}
	return number, key.stored
}

// write writes a key when every holder has acknowledged, or its session has lapsed.
func (w *world) write(k int) {
	key := &w.keys[k]
	if key.writing != 0 || w.now >= w.right {
		return
	}
	key.writing = w.now
	slots := key.slots
	key.slots = make(map[Slot]bool)
	left := 1
	done := func() {
		if left--; left > 0 {
			return
		}
		key.version++
		key.completed, key.stored, key.era = key.version, key.version, w.era
		w.longest = max(w.longest, w.now-key.writing)
		key.writing = 0
	}
	for slot := range slots {
		if s := w.granted.At(slot); s != nil {
			left++
			w.tell(s, k, w.granted.Begin(s, w.now), done)
		}
	}
	done()
}

// tell invalidates a copy again and again until its holder has acknowledged or its session has lapsed.
func (w *world) tell(s *Session, k int, c *Call, done func()) {
	over := false
	end := func(answered bool) {
		if !over {
			over = true
			w.granted.End(s, c, answered)
			done()
		}
	}
	var again func()
	again = func() {
		if over {
			return
		}
		if w.granted.Lapse(s, w.now) {
			w.waits++
			end(false)
			return
		}
		h := w.holders[int(s.Holder.ID[1]-'0')]
		if h.in {
			w.send(func() {
				h.deliver(func() {
					h.copies[k] = simCopy{}
					h.invalids[k]++
					w.send(func() { end(true) })
				})
			})
		}
		w.after(50, again)
	}
	again()
}

// loseRight lets the owner lose its right. When all that it granted has lapsed others write its keys, and
// later it comes back, in another era.
func (w *world) loseRight() {
	for k := range w.keys {
		if w.keys[k].writing != 0 {
			return
		}
	}
	if w.now >= w.right {
		return
	}
	w.right = w.now
	w.after(simTerm+simTerm/32+1, func() {
		for k := range w.keys {
			if w.rng.IntN(2) == 0 {
				w.keys[k].version++
				w.keys[k].completed = w.keys[k].version
			}
		}
		w.after(w.rng.Int64N(simTerm), func() { w.era, w.right = w.era+1, 1<<60 })
	})
}

// leave takes a holder out of the owner's view, and back in another life.
func (h *simHolder) leave() {
	w := h.w
	if !h.in {
		return
	}
	h.in = false
	w.adopt()
	w.after(w.rng.Int64N(simTerm), func() {
		h.drop()
		h.life++
		h.in = true
		w.adopt()
	})
}

func (w *world) adopt() {
	isIn := func(id string) bool { return w.holders[int(id[1]-'0')].in }
	w.granted.Adopt(func(p Peer) bool { return isIn(p.ID) && w.holders[int(p.ID[1]-'0')].life == p.Life }, isIn)
}

// run plays a seed.
func run(seed uint64, faults faultinject.Sessions) *world {
	w := newWorld(seed, faults)
	w.play()
	return w
}

func (w *world) play() {
	for range 6000 {
		if w.failed != nil {
			break
		}
		next := w.now + w.rng.Int64N(20)
		for len(w.events) > 0 && w.events[0].at <= next {
			e := heap.Pop(&w.events).(event)
			w.now = max(w.now, e.at)
			e.do()
		}
		w.now = max(w.now, next)
		w.step()
	}
}

// TestNoScheduleIsStale plays schedules: no holder reads what was written over, and no write waits for
// longer than four thirds of a term, and a thirty-second.
func TestNoScheduleIsStale(t *testing.T) {
	var hits, reads, waits int
	var longest int64
	for seed := range uint64(60) {
		w := run(seed, faultinject.Sessions{})
		if w.failed != nil {
			t.Fatalf("seed %d: %v", seed, w.failed)
		}
		hits, reads, waits, longest = hits+w.hits, reads+w.reads, waits+w.waits, max(longest, w.longest)
	}
	t.Logf("%d hits of %d reads, %d sessions lapsed under a write, the longest of which took %d", hits, reads, waits, longest)
	if hits < reads/4 || waits < 100 {
		t.Errorf("%d hits of %d reads, %d sessions lapsed under a write: these schedules exercise too little", hits, reads, waits)
	}
	if longest > simTerm*4/3+simTerm/16+100 {
		t.Errorf("a write took %d, the term is %d", longest, simTerm)
	}
}

// TestSchedulesCatch: without each of the safeguards some schedule is stale, or a write waits for
// longer than it may.
func TestSchedulesCatch(t *testing.T) {
	for what, faults := range map[string]faultinject.Sessions{
		"grants extend":               {GrantsExtend: true},
		"lapsed is not broken":        {KeepLapsed: true},
		"what has ended is renewed":   {RenewEnded: true},
		"what has ended is forgotten": {ForgetEnded: true},
		"late renewals":               {LateRenewals: true},
		"granted of a former era":     {GrantFormer: true},
		"renewed though unreached":    {RenewUnreached: true},
	} {
		t.Run(what, func(t *testing.T) {
			for seed := range uint64(300) {
				w := run(seed, faults)
				if w.failed != nil {
					t.Logf("seed %d: %v", seed, w.failed)
					return
				}
				if faults.RenewUnreached && w.longest > simTerm*4/3+simTerm/16+100 {
					t.Logf("seed %d: a write took %d", seed, w.longest)
					return
				}
			}
			t.Error("no schedule notices that it is gone")
		})
	}
}
