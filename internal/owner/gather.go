package owner

import (
	"slices"
	"sync"
)

// gathering is where single loads gather that are to be loaded together.
type gathering struct {
	mu   sync.Mutex // guards open, and what batches say; taken inside a shard's lock
	open *loadBatch // single loads on their way to LoadMany; nil: none
}

// start reports whether LoadMany is to be called now for what has gathered: true once.
func (g *gathering) start(b *loadBatch) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.startLocked(b)
}

func (g *gathering) startLocked(b *loadBatch) bool {
	if b.started {
		return false
	}
	g.endLocked(b)
	if len(b.flights) == 0 {
		b.cancel()
		return false
	}
	return true
}

// endLocked lets nothing join a batch any more.
func (g *gathering) endLocked(b *loadBatch) {
	b.started = true
	if g.open == b {
		g.open = nil
	}
}

// leave notes that a flight was called off. When none is left the batch is too,
// and nobody joins it any more. It reports whether LoadMany will not be called for
// the flight.
func (g *gathering) leave(b *loadBatch, f *flight) (spared bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !b.started {
		b.flights = slices.DeleteFunc(b.flights, func(other *flight) bool { return other == f })
		spared = true
	}
	if b.waiting--; b.waiting <= 0 {
		b.cancel()
		g.endLocked(b)
	}
	return spared
}
