package route

import "sync/atomic"

const stripes = 16

// A Stripe takes 64 bytes.
type Stripe struct {
	Own, Hot            atomic.Uint64 // Gets that were answered at once
	Slow                atomic.Uint64 // all other Gets
	PeerCalls, PeerHits atomic.Uint64
	Served              atomic.Uint64
	Sets, Deletes       atomic.Uint64
}

// counters are the live numbers behind Stats.
type counters struct {
	// stripes count what happens often, by hash: two cores that count in one place
	// wait for each other longer than a hit takes.
	Stripes [stripes]Stripe

	LateHits atomic.Uint64 // slow Gets that were own hits on the second look

	PeerErrors, Retries, NegativeHits atomic.Uint64
}

// Of returns the stripe in which Gets of a key with this hash are counted.
func (c *counters) Of(hash uint64) *Stripe { return &c.Stripes[hash%stripes] }
