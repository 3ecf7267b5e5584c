package store

import (
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"
)

// keeper is ristretto, used so that it keeps its word:
//
//   - only the call that holds Store.moving writes to it, and waits until the
//     write took effect, so nothing is ever queued for later;
//   - an entry is added only when no entry of its hash is held, so ristretto
//     never sees an update, which would bypass its budget;
//   - uses are reported through a gate, which close shuts, because a Get of
//     ristretto must not run into its Close.
type keeper struct {
	cache    *ristretto.Cache[uint64, *Entry]
	gates    [16]gate
	epochLen int64
	reports  atomic.Int64 // uses to come until the epoch ends

	// What became of a batch. ristretto's goroutine appends; whoever waited for
	// the batch reads.
	victims, refused []*Entry
	clearing         bool // its callbacks stem from clear; written like the above
}

// gate is read-locked during one report and locked for good by close.
type gate struct {
	sync.RWMutex // guards cache against being closed while in use
	_            [40]byte
}

const (
	// ristrettoBytes is what an empty ristretto takes besides its counters: a
	// channel of 256 KiB, 256 map shards, buffers. Measured by TestKeeperBytes.
	ristrettoBytes = 400 << 10

	// countersPerEntry is how many counters the sketch should have for each entry
	// that fits the budget. More win little and cost entries, fewer lose hits.
	countersPerEntry = 24

	// counterBytes is what ristretto takes per slot of its sketch: four rows of
	// half a byte, and 8 bits of its bloom filter if it is asked for 0.83 · 2^n
	// counters, so that both sizes fill the power of two they are rounded up to.
	counterBytes = 3
)

// sketchSlots picks the size of the sketch, a power of two, for a budget that
// holds entries of this mean size.
func sketchSlots(budget, meanSize int64) int64 {
	want := budget / max(meanSize, 1) * countersPerEntry
	slots := int64(1 << 10)
	for slots*3/2 < want && 2*slots*counterBytes <= budget/10 {
		slots *= 2
	}
	return slots
}

// newKeeper starts a ristretto that, with all it takes for itself, stays within
// budget bytes. The caller must close it.
func newKeeper(budget, meanSize int64) (k *keeper, base int64, err error) {
	slots := sketchSlots(budget, meanSize)
	base = ristrettoBytes + slots*counterBytes
	k = &keeper{epochLen: slots * 83 / 100 / 2}
	k.reports.Store(k.epochLen)
	scatter := NewScatter()
	k.cache, err = ristretto.NewCache(&ristretto.Config[uint64, *Entry]{
		NumCounters:            slots * 83 / 100,
		MaxCost:                budget - base,
		BufferItems:            64,
		IgnoreInternalCost:     true,
		TtlTickerDurationInSec: 1 << 31, // entries carry their own expiry: no ticks
		KeyToHash:              func(hash uint64) (uint64, uint64) { return scatter.unique(hash), 0 },
		OnEvict: func(item *ristretto.Item[*Entry]) {
			if item.Value != nil && !k.clearing {
				k.victims = append(k.victims, item.Value)
			}
		},
		OnReject: func(item *ristretto.Item[*Entry]) { k.refused = append(k.refused, item.Value) },
	})
	return k, base, err
}

// record reports a use of the key with this hash, unless the keeper is closing.
func (k *keeper) record(hash uint64) bool {
	g := &k.gates[hash>>32%uint64(len(k.gates))]
	if !g.TryRLock() {
		return false
	}
	k.cache.Get(hash)
	g.RUnlock()
	return true
}

// exchange drops the entries in dead and offers those in added. It leaves in
// refused which of these ristretto did not take, and in victims which entries it
// gave up instead; among them may be some that it had just taken. Both are empty
// before. The caller holds Store.moving.
func (k *keeper) exchange(dead, added []*Entry) {
	for _, e := range dead {
		k.cache.Del(e.hash)
	}
	var dropped []*Entry
	for _, e := range added {
		if !k.cache.Set(e.hash, e, e.keptSize()) {
			dropped = append(dropped, e) // its buffer is full, although batches are smaller
		}
	}
	k.cache.Wait()
	k.refused = append(k.refused, dropped...)
}

// clear drops all entries and all that is known about the use of keys. The caller
// holds Store.moving.
func (k *keeper) clear() {
	k.clearing = true
	k.cache.Clear()
	k.clearing = false
}

// close stops ristretto and its goroutines. The caller holds Store.moving and
// uses the keeper no more.
func (k *keeper) close() {
	for i := range k.gates {
		k.gates[i].Lock()
	}
	k.clearing = true
	k.cache.Close()
}
