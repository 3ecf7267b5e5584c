package owner

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
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
	timer   *time.Timer // gives the load up at its deadline; nil: not needed
	state   flightState

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
}

func (c *Part) newFlight(ctx context.Context, s *shard, hash uint64, key string) *flight {
	// The key is kept with the value, and may be a part of a large string.
	return &flight{shard: s, hash: hash, key: strings.Clone(key), values: context.WithoutCancel(ctx), done: make(chan struct{})}
}

// maxVoids is how many voided loads a Get of a group with a Writer puts up with
// before writes of the key wait for its next one.
const maxVoids = 2

// Load answers a Get that missed at the owner: it joins the flight of the key or
// makes one. The key must not alias a buffer.
// It reports a hit if the value was there after all.
// Its errors are ctx's own, errs.ErrNotOwner, ErrUnsettled, ErrClosed, ErrNotFound
// and *LoadError.
func (c *Part) Load(ctx context.Context, hash uint64, key string) (e *store.Entry, hit bool, err error) {
	for voids := 0; ; voids++ {
		e, f, err := c.joinFlight(ctx, hash, key, joining{insists: voids >= maxVoids})
		if f == nil {
			return e, err == nil, err
		}
		last, cancel := c.Origin.LastCall(ctx)
		e, hit, err = c.await(ctx, last, f)
		cancel()
		if err != errVoid {
			return e, hit, err
		}
	}
}

// await waits for a flight that the caller has joined. last is that of LastCall.
func (c *Part) await(ctx context.Context, last <-chan struct{}, f *flight) (e *store.Entry, hit bool, err error) {
	var soft <-chan time.Time
	if t := c.softTimer(ctx, f); t != nil {
		defer t.Stop()
		soft = t.C
	}
	for {
		select {
		case <-f.done:
			return f.out.entry, f.out.hit, f.out.err
		default: // what is there counts, though ctx may have ended
		}
		select {
		case <-f.done:
			continue
		case <-soft:
			if e, err := c.contentWithOld(f); e != nil {
				return e, err == nil, err
			}
			soft = nil
		case <-last:
			if f.isQueued() && ctx.Err() != context.Canceled {
				c.leave(f)
				return nil, false, errors.Join(errs.ErrOverloaded, context.DeadlineExceeded)
			}
			last = nil
		case <-ctx.Done():
			c.leave(f)
			return nil, false, ctx.Err()
		case <-c.Life.Closing():
			return nil, false, errs.ErrClosed
		}
	}
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

// joining says how a key's flight is joined.
type joining struct {
	insists bool       // see flight
	into    *loadBatch // the call of LoadMany that a flight joins that begins at once; nil: none
	due     *Due       // see LookupOf
}

// errVoid sends those who wait for a void flight back to look again.
//
// The schedule it defends against, in a group with a Writer: a load begins; Set A
// voids it and is done; Set B changes the origin, and waits for the holders of A;
// the load reads B's row; whoever waits for it returns B; the next Get, at the
// owner or at a holder, returns A. Without a Writer the origin changes when it
// likes, and then only the write after it counts.
var errVoid = errors.New("cachemesh: the key was written during the load")

// run carries out a flight that has begun. It unlinks the flight before its result
// is published, so that whoever asks later cannot be answered by it, and it stores
// the value in the same critical section that finds the token still standing.
func (c *Part) run(f *flight) {
	defer c.Life.Done()
	defer f.cancel()
	defer context.AfterFunc(c.Loading, f.cancel)()
	e, err := c.loadOnce(f)
	err = c.calledOff(err)
	f.memo = c.memoOf(err)
	s := f.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	c.giveUpLaterLocked(f)
	failed := err
	e, err = c.storeLocked(f, e, err)
	f.publishLocked(landed{entry: e, err: err, failed: failed})
	if f.reserved {
		c.releaseLocked(s, f.hash, f.key)
	}
	c.advanceLocked(s, f.hash, f.key)
}

// storeLocked stores what was loaded, if it may be, and unlinks the flight. It
// returns the flight's outcome.
func (c *Part) storeLocked(f *flight, e *store.Entry, err error) (*store.Entry, error) {
	if f.void && !c.Faults.IgnoreFillToken {
		return e, err // with a Writer errVoid was published before
	}
	if (f.refresh != nil || f.forced) && (err == nil || errors.Is(err, errs.ErrNotFound)) {
		c.recallForFillLocked(f)
	}
	f.shard.unlinkLocked(f)
	switch {
	case err == nil:
		c.setbacks.forget(f.key)
		c.reasons.forget(f.key)
		c.fillLocked(f, e)
	case errors.Is(err, errs.ErrNotFound):
		c.setbacks.forget(f.key)
		c.reasons.forget(f.key)
		c.fillNotFoundLocked(f)
	default:
		if f.refresh != nil {
			c.refreshFailed(err)
		}
		return c.fallBackLocked(f, err)
	}
	return e, err
}

// publishLocked answers all who wait, once.
func (f *flight) publishLocked(out landed) {
	select {
	case <-f.done:
	default:
		f.out = out
		close(f.done)
	}
}

// loadOnce calls the loader for a flight, alone or with others.
func (c *Part) loadOnce(f *flight) (*store.Entry, error) {
	if b := f.batch.Load(); b != nil {
		return b.wait(f)
	}
	return c.Origin.CallLoad(f.ctx, f.key, &f.place, func() { c.returned(f) })
}

// Waiting returns how many callers wait for the load of a key.
func (c *Part) Waiting(hash uint64, key string) int {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lanes[key]; l != nil && l.joinable() != nil {
		return l.joinable().waiters
	}
	return 0
}
