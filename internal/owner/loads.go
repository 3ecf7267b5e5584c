package owner

import (
	"context"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// loads are the loads of a part's keys whose value may be stored. What is in this file says
// what is next, under the lock of a key's shard, and does none of it.
type loads struct {
	changes
	gather  gathering
	grants  atomic.Uint64 // claims that were granted so far
	watched watched
}

// next is what is to be done for a key: see loads.doLocked. The zero value is nothing.
type next struct {
	load   *flight      // it has begun: call its loader
	into   *loadBatch   // the call of LoadMany that load joins; nil: another, or none
	claim  *flight      // it was granted: its holder loads it
	due    *store.Entry // it is to be refreshed
	recall bool         // the key is reserved until its copies have been recalled
}

// beginLocked begins the load of the next flight of a lane, whose key is not busy.
// If the lane is full, the flight waits, or is refused if all that it could wait
// for is stuck.
func (c *loads) beginLocked(l *lane, f *flight, into *loadBatch) next {
	switch {
	case !l.isFull():
	case l.running > 0:
		return next{}
	default:
		l.next = nil
		f.publishLocked(landed{err: c.Origin.LoadError(f.key, errStuck)})
		return next{}
	}
	if f.claim != nil {
		if f.claim.holder = f.claim.next(); f.claim.holder != nil {
			return c.grantLocked(l, f)
		}
		f.claim = nil // they have gone, and others wait for the key
	}
	l.next, l.current = nil, f
	l.countLocked(f)
	f.ctx, f.cancel = context.WithTimeout(f.values, c.LoadTimeout)
	f.began, f.era, f.removals = c.Clock.Now(), c.State.Era(), c.removals.count.Load()
	f.shard.running++
	c.Life.Begin()
	c.insistLocked(f)
	return next{load: f, into: into}
}

// insistLocked reserves the key for a load that runs, if that insists: until it
// ends, writes wait. Its deadline is GroupOptions.LoadTimeout.
func (c *loads) insistLocked(f *flight) {
	if !f.insists || f.reserved || f.state != flightRuns || f.void {
		return
	}
	if !f.shard.reserved.isTaken(f.key) { // else a refresh recalls copies, and is done when it has
		f.shard.reserved.reserve(f.key)
		f.reserved = true
	}
}

// nextLocked lets the lane of a key go on after a load has ended or the key is
// free again: whoever waits is answered by a value that is there by now, or their
// load begins.
func (c *loads) nextLocked(s *shard, hash uint64, key string) (n next) {
	l := s.lanes[key]
	if l == nil {
		return next{}
	}
	defer s.lanes.close(key, l)
	f := l.next
	if f == nil {
		return next{}
	}
	e, due, err := c.presentLocked(s, hash, key)
	if due {
		n.due = e
	}
	if e != nil || err != nil {
		if !f.forced || e == nil && !errs.IsOutcome(err) {
			l.next = nil
			f.publishLocked(landed{entry: e, hit: err == nil, err: err})
			return n
		}
	}
	busy, recall := c.busyLocked(s, hash, key)
	switch {
	case busy:
		n.recall = recall
	case c.Origin.Load == nil || c.Cache && f.claim == nil:
		l.next = nil
		f.publishLocked(landed{err: errs.ErrNotFound})
	default:
		b := c.beginLocked(l, f, nil)
		n.load, n.claim = b.load, b.claim
	}
	return n
}

// giveUpLocked gives up a load whose loader has not returned.
func (c *loads) giveUpLocked(f *flight) {
	if l := f.shard.lanes[f.key]; l != nil && l.giveUpLocked(f) {
		c.Counts.StuckLoads.Add(1)
	}
}
