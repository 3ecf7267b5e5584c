package store

import (
	"math/rand/v2"
	"sync/atomic"
)

// Every use of a key should reach ristretto's frequency sketch, but telling it
// takes longer than the whole hit. Its counters end at 15, so there is no need to
// tell it about a use of a key that it has just heard of often enough. An entry's
// heat holds how often that was, and in which epoch: an epoch ends when the
// sketch took in so many uses that it is about to halve its counters. A hot entry
// is therefore written a few times in an epoch, and only read else.
//
// A store without a keeper stays in one epoch: there, heat counts the uses since
// the entry was last looked at, and only then does its own sketch hear of them.
//
// Heat is written without a lock; a use lost to a race does no harm.
const (
	claimed   = 1 << 31 // the entry was passed to Set
	heatMask  = 15      // the low bits count uses
	heatEnd   = 2       // no more uses than this are reported in one epoch: 6 and 15 measured worse
	epochStep = heatMask + 1

	sampled = 64 // one report in so many is counted, as so many
)

// heat is what the store knows of uses without a lock.
type heat struct {
	epoch  atomic.Uint32
	keeper atomic.Pointer[keeper] // nil until the window is full, or for good; stored under moving
}

// warm counts a use of e, whose heat is h in an epoch of the store's.
func (t *heat) warm(e *Entry, h, epoch uint32) {
	if h^epoch > heatMask {
		h = epoch
	}
	e.heat.Store(h + 1)
	t.record(e.hash)
}

// record tells the keeper, if there is one, about a use of a key.
func (t *heat) record(hash uint64) {
	k := t.keeper.Load()
	if k == nil || !k.record(hash) || rand.Uint32()%sampled != 0 {
		return
	}
	if k.reports.Add(-sampled) <= 0 {
		k.reports.Add(k.epochLen)
		nextEpoch(&t.epoch)
	}
}

// nextEpoch goes on to the next epoch, or after 2^27 of them to the first.
func nextEpoch(epoch *atomic.Uint32) {
	epoch.Store((epoch.Load() + epochStep) | claimed)
}

// claim marks e as set and reports whether it was not before.
func (t *heat) claim(e *Entry) bool { return e.heat.CompareAndSwap(0, t.epoch.Load()) }

// takeUses returns how often e was used, up to heatEnd or so, since it was set or
// this was last called.
func takeUses(e *Entry) int {
	h := e.heat.Load()
	if h&heatMask != 0 {
		e.heat.Store(h &^ heatMask)
	}
	return int(h & heatMask)
}
