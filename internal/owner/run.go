package owner

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// doLocked does what is next for a key.
func (c *loads) doLocked(s *shard, hash uint64, key string, n next) {
	if n.due != nil {
		c.refreshDue(n.due, nil)
	}
	if n.recall {
		c.Life.Begin()
		go func() {
			defer c.Life.Done()
			c.recall(s, hash, key)
			s.mu.Lock()
			defer s.mu.Unlock()
			c.releaseLocked(s, hash, key)
		}()
	}
	if n.claim != nil {
		c.standLocked(n.claim)
	}
	if n.load != nil {
		c.enrol(n.load, n.into)
		go c.run(n.load)
	}
}

// advanceLocked lets the lane of a key go on: see nextLocked.
func (c *loads) advanceLocked(s *shard, hash uint64, key string) {
	c.doLocked(s, hash, key, c.nextLocked(s, hash, key))
}

// releaseLocked ends the reservation of a key. A load that waited for that begins.
func (c *loads) releaseLocked(s *shard, hash uint64, key string) {
	if s.release(hash, key, &c.notes) {
		c.advanceLocked(s, hash, key)
	}
}

// run carries out a flight that has begun. It unlinks the flight before its result
// is published, so that whoever asks later cannot be answered by it, and it stores
// the value in the same critical section that finds the token still standing.
func (c *loads) run(f *flight) {
	defer c.Life.Done()
	defer f.cancel()
	defer context.AfterFunc(c.Loading, f.cancel)()
	e, err := c.loadOnce(f)
	err = c.calledOff(err)
	f.memo = c.memoOf(err)
	c.label(e)
	s := f.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	c.giveUpLaterLocked(f)
	failed := err
	e, err = c.storeLocked(f, e, err)
	f.publishLocked(landed{entry: e, err: err, failed: failed, removal: c.removed(f, e)})
	if f.reserved {
		c.releaseLocked(s, f.hash, f.key)
	}
	c.advanceLocked(s, f.hash, f.key)
}

// loadOnce calls the loader for a flight, alone or with others.
func (c *loads) loadOnce(f *flight) (*store.Entry, error) {
	if b := f.batch.Load(); b != nil {
		return c.awaitBatch(b, f)
	}
	return c.Origin.CallLoad(f.ctx, f.key, &f.place, func() { c.returned(f) })
}

// storeLocked stores what was loaded, if it may be, and unlinks the flight. It
// returns the flight's outcome.
func (c *loads) storeLocked(f *flight, e *store.Entry, err error) (*store.Entry, error) {
	if f.void && !c.Faults.IgnoreFillToken {
		return e, err // with a Writer errVoid was published before
	}
	if (f.refresh != nil || f.forced || f.claim != nil) && (err == nil || errors.Is(err, errs.ErrNotFound)) {
		c.recallForFillLocked(f)
	}
	f.shard.lanes.unlink(f)
	switch {
	case err == nil:
		c.forgetFailure(f.key)
		c.fillLocked(f, e)
	case errors.Is(err, errs.ErrNotFound):
		c.forgetFailure(f.key)
		c.fillNotFoundLocked(f)
	default:
		if f.refresh != nil {
			c.refreshFailed(err)
		}
		return c.fallBack(f.hash, f.key, f.memo, err)
	}
	return e, err
}

// recallForFillLocked ends the copies of a value that is about to be refreshed:
// nobody may see the new value while others still read the former one. It
// unlocks s meanwhile; the key is reserved, and whoever misses joins the flight
// or waits.
func (c *loads) recallForFillLocked(f *flight) {
	s := f.shard
	for !f.void {
		busy := s.reserved[f.key]
		switch {
		case f.reserved: // it is this flight's already
			s.mu.Unlock()
			c.recall(s, f.hash, f.key)
			s.mu.Lock()
			return
		case busy != nil: // copies of the value, which was evicted, are being recalled
			s.mu.Unlock()
			<-busy
			s.mu.Lock()
		case !c.isHeldLocked(s, f.hash, c.Clock.Now()):
			return
		default:
			s.reserved.reserve(f.key)
			s.mu.Unlock()
			c.recall(s, f.hash, f.key)
			s.mu.Lock()
			c.releaseLocked(s, f.hash, f.key)
			return
		}
	}
}

// returned notes that a flight's loader has returned, or never will be called.
func (c *loads) returned(f *flight) {
	s := f.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lanes[f.key]; l != nil && l.landLocked(f) {
		c.advanceLocked(s, f.hash, f.key)
	}
}

// giveUpLaterLocked gives up, at its deadline, a load that nobody waits for any
// more and whose loader has not returned.
func (c *loads) giveUpLaterLocked(f *flight) {
	if f.state != flightRuns {
		return
	}
	deadline, _ := f.ctx.Deadline()
	left := time.Until(deadline)
	if left <= 0 {
		c.giveUpLocked(f)
		return
	}
	f.timer = time.AfterFunc(left, func() {
		f.shard.mu.Lock()
		defer f.shard.mu.Unlock()
		c.giveUpLocked(f)
		c.advanceLocked(f.shard, f.hash, f.key)
	})
}
