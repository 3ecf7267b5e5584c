package route

import (
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/tally"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

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

	Purges atomic.Uint64 // writes that are about no key in particular

	PeerTook tally.Times // what calls to peers took, those that failed included
}

// Of returns the stripe in which Gets of a key with this hash are counted.
func (c *counters) Of(hash uint64) *Stripe { return &c.Stripes[hash%stripes] }

// took counts what a call took that began at a time of the node's clock.
func (c *counters) took(began, now int64) { c.PeerTook.Add(time.Duration(now - began)) }

func (c *counters) countCall(k *wire.Call) { c.Of(k.Hash).PeerCalls.Add(1) }
