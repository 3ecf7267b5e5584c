package handover

import (
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

const (
	// handOverTime is how long new owners wait for values of which none could be
	// handed over meanwhile. As long as some are, they wait: there may be millions.
	handOverTime = 5 * time.Second

	retryFloor   = 5 * time.Millisecond // between two tries, at first
	retryCeiling = 100 * time.Millisecond
)

// A base is what a mover and its passes stand on: the node, what is parked there, and
// what became of what was moved.
type base struct {
	Options
	Parking Parking

	handedOver atomic.Uint64 // values that somebody took
	lost       atomic.Uint64 // values that nobody took when this member's keys moved
	progress   atomic.Int64  // when a value was taken last, on the node's clock
	halted     atomic.Bool   // nothing more is sent: the node closes
}

// moves reports whether a group's values are handed over: those that nobody could load again,
// and of which there are no copies, which their owners see to.
func moves(c *owner.Part) bool { return c.Origin.Load == nil && c.Copies() == nil }

// HandedOver returns how many values other members took.
func (b *base) HandedOver() uint64 { return b.handedOver.Load() }

// Lost returns how many values nobody took.
func (b *base) Lost() uint64 { return b.lost.Load() }

// LoseHeld counts what a node that closes in disorder still holds.
func (b *base) LoseHeld() {
	b.loseEach(func(*owner.Part, uint64, *store.Entry) (mine, goOn bool) { return false, true })
	b.loseParked(nil)
}

// loseEach counts as lost what is held and nobody could load again, but for what look says
// is this node's. It stops where look does not go on, and does not count that.
func (b *base) loseEach(look func(c *owner.Part, hash uint64, e *store.Entry) (mine, goOn bool)) {
	for c := range b.Groups.Parts() {
		if !moves(c) {
			continue
		}
		values := 0
		c.Store.Range(b.Clock.Now(), func(hash uint64, e *store.Entry) bool {
			mine, goOn := look(c, hash, e)
			if goOn && !mine && !e.Negative {
				values++
			}
			return goOn
		})
		b.lose(c.Name, values)
	}
}

// Lose counts values of a group with copies that nobody took.
func (b *base) Lose(group string, values int) { b.lose(group, values) }

// lose counts values of a group that nobody took, and says so.
func (b *base) lose(group string, values int) {
	if values > 0 {
		b.lost.Add(uint64(values))
		b.Log.Warn("values that no loader could bring back were not handed over and are lost", "values", values, "group", group)
	}
}

// loseParked forgets what is parked and this node does not own by its view v, all if that
// is nil, and counts it as lost.
func (b *base) loseParked(v *view.View) {
	for _, at := range b.Parking.now() {
		seed := ring.Seed(at.group)
		var stay, gone []byte
		for body := at.list.body; len(body) > 0; {
			one, rest, _ := wire.CutParcel(body)
			raw := body[:len(body)-len(rest)]
			body = rest
			if v != nil && v.Mine(ring.Hash(seed, string(one.Key))) {
				stay = append(stay, raw...)
			} else {
				gone = append(gone, raw...)
			}
		}
		lost := (&parkedList{body: gone, arrived: at.list.arrived}).left(b.Clock.Now(), at.deleted)
		if b.Parking.replace(v, at, stay) {
			b.lose(at.group, lost)
		}
	}
}
