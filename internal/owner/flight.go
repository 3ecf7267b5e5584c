package owner

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A flight is one load whose value may be stored, with those who wait for it. It
// waits in its key's lane until it may begin.
type flight struct {
	shard   *shard
	hash    uint64
	key     string
	values  context.Context // of whoever asked first, without their deadline
	refresh *store.Entry    // the value that it replaces while that is still served; nil: none
	place   origin.Place    // in the queue for a turn to call the loader
	memo    *memo           // what is remembered of the load if it failed; set before it is stored

	batch atomic.Pointer[loadBatch] // the call of LoadMany that carries it; nil: one of its own

	done chan struct{} // closed once out is set
	out  landed

	// The fields below are guarded by the lock of the shard.

	ctx     context.Context // the loader's: its own deadline, ends when nobody waits; nil before the load begins
	cancel  context.CancelFunc
	began   int64  // when the load began
	era     uint32 // State.Era when the load began: what is held gets a limit in a later one, and so would its value
	waiters int

	removals uint64 // how many there were when the load began: see removals

	timer *time.Timer // gives the load up at its deadline; nil: not needed
	state flightState

	// void is the fill token taken back: a write or a change of view came after
	// the load began. Its value answers those who waited already and no one else.
	void bool

	// goesOn says that the load goes on when nobody waits for it any more: they were
	// content with an old value.
	goesOn bool

	// forced says that somebody wants the key loaded, whatever it has.
	forced bool

	// insists says that the key is to be reserved for the load: those who wait
	// were sent back by voided loads before. reserved says that it is.
	insists, reserved bool

	claim *claim // whoever has it loads the key; nil: the group's loader does
}

// A loadBatch is one call of LoadMany and the flights that it carries. It
// gathers until it is started.
type loadBatch struct {
	ctx    context.Context // ends after LoadTimeout, or when no flight waits
	cancel context.CancelFunc
	done   chan struct{} // closed once entries and err are set

	flights []*flight // that it carries; guarded by gathering.mu until it is started
	started bool      // guarded by gathering.mu

	waiting int          // flights that have not been called off; guarded by gathering.mu
	place   origin.Place // in the queue for a turn to call LoadMany

	outcomes map[string]origin.Loaded // keys that are missing do not exist, unless err
	err      error
}

// A flightState says how a flight counts in its lane.
type flightState uint8

const (
	flightWaits  flightState = iota // the loader has not been called
	flightRuns                      // until the loader returned
	flightStuck                     // its deadline passed, and the loader has not returned
	flightLanded                    // the loader returned, or never will be called
)

// landed is what a flight came to.
type landed struct {
	entry  *store.Entry
	hit    bool // the value was there after all
	err    error
	failed error // what the loader said, if that was an error and entry is served instead

	removal uint64 // whoever came after this one gets none of it; 0: none
}

// errVoid sends those who wait for a void flight back to look again.
//
// The schedule it defends against, in a group with a Writer: a load begins; Set A
// voids it and is done; Set B changes the origin, and waits for the holders of A;
// the load reads B's row; whoever waits for it returns B; the next Get, at the
// owner or at a holder, returns A. Without a Writer the origin changes when it
// likes, and then only the write after it counts.
var errVoid = errors.New("cachemesh: the key was written during the load")

// newFlight makes a flight that waits, with the values of ctx.
func newFlight(ctx context.Context, s *shard, hash uint64, key string) *flight {
	// The key is kept with the value, and may be a part of a large string.
	return &flight{shard: s, hash: hash, key: strings.Clone(key), values: context.WithoutCancel(ctx), done: make(chan struct{})}
}

// isQueued reports whether the load waits for its turn to call the loader.
func (f *flight) isQueued() bool {
	if f.place.Queued.Load() {
		return true
	}
	b := f.batch.Load()
	return b != nil && b.place.Queued.Load()
}

// hurry notes that one who came with ctx waits for the flight.
func (f *flight) hurry(ctx context.Context, o *origin.Origin) {
	o.HurryUp(ctx, &f.place)
	if b := f.batch.Load(); b != nil {
		o.HurryUp(ctx, &b.place)
	}
}

// publishLocked answers all who wait, once.
func (f *flight) publishLocked(out landed) {
	select {
	case <-f.done:
	default:
		f.out = out
		close(f.done)
		if f.claim != nil {
			f.claim.answerAll(Claimed{Entry: out.entry, Hit: out.hit, Err: out.err})
		}
	}
}
