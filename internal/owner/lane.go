package owner

import (
	"context"
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// A lane is what is loaded, or waits to be, for one key. One load may be joined.
// When a write voids it, or nobody waits for it any more, and it still runs, one
// more may begin, which serves all who came since. Whoever comes after that one was
// voided too waits and gathers; when one of the two ends the next begins. So
// everyone is answered by the first load that began after they came, or by one
// that no write came after, and at most two run at once.
//
// A load runs until the loader returns, heeding its context or not. One whose
// deadline passes before that is stuck: it does not hold up others any more, and
// counts against maxLoading. Loads whose value is not stored, one at a time (see
// cohort), count too.
type lane struct {
	current *flight // runs, and may be joined; nil: none
	next    *flight // waits to begin; nil: none. Never beside current
	running int     // loads that run
	stuck   int     // loads whose deadline passed before they returned
}

const (
	maxRunning = 2 // loads of a key that run at once
	maxLoading = 8 // loads of a key that have not returned, stuck ones included
)

// lane returns the lane of a key, made if there is none. s.mu is held; who leaves
// it empty closes it.
func (s *shard) lane(key string) *lane {
	l := s.lanes[key]
	if l == nil {
		l = &lane{}
		s.lanes[key] = l
	}
	return l
}

// closeLaneLocked removes a lane in which nothing stands.
func (s *shard) closeLaneLocked(key string, l *lane) {
	if *l == (lane{}) && s.lanes[key] == l {
		delete(s.lanes, key)
	}
}

// joinable returns the flight that whoever comes now joins, nil if there is none.
func (l *lane) joinable() *flight {
	if l.current != nil {
		return l.current
	}
	return l.next
}

// isFull reports whether no load may begin now.
func (l *lane) isFull() bool { return l.running >= maxRunning || l.running+l.stuck >= maxLoading }

// beginLocked begins the load of the next flight of a lane, whose key is not busy.
// If the lane is full, the flight waits, or is refused if all that it could wait
// for is stuck.
func (c *Part) beginLocked(l *lane, f *flight, into *loadBatch) {
	s := f.shard
	switch {
	case !l.isFull():
	case l.running > 0:
		return
	default:
		l.next = nil
		f.publishLocked(landed{err: c.Origin.LoadError(f.key, errStuck)})
		return
	}
	l.next, l.current = nil, f
	l.countLocked(f)
	f.ctx, f.cancel = context.WithTimeout(f.values, c.LoadTimeout)
	f.began, f.era = c.Clock.Now(), c.State.Era()
	s.running++
	c.Life.Begin()
	c.batchFor(f, into)
	c.insistLocked(f)
	go c.run(f)
}

// countLocked counts a load that begins, unless too many have not returned.
func (l *lane) countLocked(f *flight) bool {
	if l.running+l.stuck >= maxLoading {
		return false
	}
	l.running++
	f.state = flightRuns
	return true
}

var errStuck = fmt.Errorf("%w: %d loads of the key have not returned, though their time is over", errs.ErrOverloaded, maxLoading)

// insistLocked reserves the key for a load that runs, if that insists: until it
// ends, writes wait. Its deadline is GroupOptions.LoadTimeout.
func (c *Part) insistLocked(f *flight) {
	s := f.shard
	if !f.insists || f.reserved || f.state != flightRuns || f.void {
		return
	}
	b := s.books[f.key]
	if b == nil {
		b = &book{}
		s.books[f.key] = b
	}
	if b.write == nil { // else a refresh recalls leases, and is done when it has
		b.write = make(chan struct{})
		f.reserved = true
	}
}

// advanceLocked lets the lane of a key go on after a load has ended or the key is
// free again: whoever waits is answered by a value that is there by now, or their
// load begins.
func (c *Part) advanceLocked(s *shard, hash uint64, key string) {
	l := s.lanes[key]
	if l == nil {
		return
	}
	if f := l.next; f != nil {
		e, err := c.presentLocked(s, hash, key, nil)
		if f.forced && (e != nil || errs.IsOutcome(err)) {
			e, err = nil, nil
		}
		switch {
		case e != nil || err != nil:
			l.next = nil
			f.publishLocked(landed{entry: e, hit: err == nil, err: err})
		case c.busyLocked(s, hash, key):
		case c.Origin.Load == nil:
			l.next = nil
			f.publishLocked(landed{err: errs.ErrNotFound})
		default:
			c.beginLocked(l, f, nil)
		}
	}
	s.closeLaneLocked(key, l)
}

// returned notes that a flight's loader has returned, or never will be called.
func (c *Part) returned(f *flight) {
	s := f.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[f.key]
	switch f.state {
	case flightRuns:
		l.running--
	case flightStuck:
		l.stuck--
	default:
		return
	}
	f.state = flightLanded
	if f.timer != nil {
		f.timer.Stop()
	}
	c.advanceLocked(s, f.hash, f.key)
}

// giveUpLaterLocked gives up, at its deadline, a load that nobody waits for any
// more and whose loader has not returned.
func (c *Part) giveUpLaterLocked(f *flight) {
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

func (c *Part) giveUpLocked(f *flight) {
	if f.state != flightRuns {
		return
	}
	f.state = flightStuck
	l := f.shard.lanes[f.key]
	l.running--
	l.stuck++
	c.Counts.StuckLoads.Add(1)
}

// voidLocked takes back the fill token of a flight that has begun. With a Writer
// its value is of no use to anyone then.
func (c *Part) voidLocked(f *flight) {
	if f.void {
		return
	}
	f.void = true
	f.shard.unlinkLocked(f)
	if f.waiters == 0 {
		f.cancel() // it went on for its value's sake alone
	}
	if c.Origin.Write != nil && !c.Faults.IgnoreFillToken {
		f.publishLocked(landed{err: errVoid})
		f.cancel()
	}
}

// voidKeyLocked takes back the token of a key's load, if one is under way.
func (c *Part) voidKeyLocked(s *shard, key string) {
	if l := s.lanes[key]; l != nil && l.current != nil {
		c.voidLocked(l.current)
	}
}

// unlinkLocked makes sure that nobody joins the flight any more.
func (s *shard) unlinkLocked(f *flight) {
	if l := s.lanes[f.key]; l != nil && l.current == f {
		l.current = nil
	}
}

// dropNextLocked removes a flight that waits to begin.
func (s *shard) dropNextLocked(f *flight) {
	if l := s.lanes[f.key]; l != nil && l.next == f {
		l.next = nil
		f.state = flightLanded
		s.closeLaneLocked(f.key, l)
	}
}
