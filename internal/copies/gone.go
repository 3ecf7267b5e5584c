package copies

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// departures are values that the store gave up, until the core is told.
type departures struct {
	any  atomic.Bool // list is not empty; changes with mu held
	mu   sync.Mutex  // guards list; taken inside all others
	list []departure
}

type departure struct {
	hash uint64
	e    *store.Entry
	why  store.Cause
}

func (l *departures) add(d departure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, d)
	l.any.Store(true)
}

func (l *departures) take() []departure {
	if !l.any.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.list
	l.list = nil
	l.any.Store(false)
	return list
}

// leaving is what follows when values leave the store.
type leaving struct{ *guarded }

// Gone is told of each entry that leaves the store, or of those alone that the store gave up.
// What a call took out of it, it took with mu held, but where the group is closed.
func (c *leaving) Gone(e *store.Entry, why store.Cause) {
	evicted := why == store.Capacity || why == store.Rejected || why == store.Collision
	if e.Negative || !evicted && c.Removed == nil {
		return
	}
	hash := ring.Hash(c.Seed, e.Key)
	if !evicted && why != store.Expired {
		c.removedLocked(hash, e, why)
		return
	}
	c.gone.add(departure{hash, e, why})
	if c.mu.TryLock() { // else whoever has it tells the core
		c.unlock()
	}
}

// removedLocked tells of a value that has gone, if it was this member's own: whoever has copies
// of it, or of one before it, tells nobody when these go.
func (c *guarded) removedLocked(hash uint64, e *store.Entry, why store.Cause) {
	if c.Removed == nil || c.closed || !c.core.Ends(hash, e.Version) {
		return
	}
	if now := c.Store.PeekHash(hash, 0); why == store.Replaced && now != nil {
		switch {
		case now.Version == e.Version, c.restores:
			return // it is the same value
		case now.Negative && c.picks:
			why = store.Picked
		case now.Negative:
			why = store.Deleted
		}
	}
	c.Removed(e.Key, why)
}

func (c *guarded) tellGoneLocked() {
	for {
		list := c.gone.take()
		if len(list) == 0 {
			return
		}
		for _, d := range list {
			c.removedLocked(d.hash, d.e, d.why)
			if d.why != store.Expired && c.Store.PeekHash(d.hash, c.Clock.Now()) == nil { // else something newer has come
				c.core.Evicted(d.hash, d.e.Version)
			}
		}
	}
}

// Resize gives the store another budget.
func (c *leaving) Resize(maxBytes int64) {
	c.lockLong()
	defer c.unlockLong()
	c.Store.Resize(maxBytes)
}

// dropPause is between two looks whether others have dropped what was evicted.
const dropPause = time.Millisecond

// AwaitDrops waits until others have dropped what this member has evicted by now: till then it
// would be a value again if this member crashed. Errors: ctx's own and errs.ErrClosed.
func (c *leaving) AwaitDrops(ctx context.Context) error {
	c.lock()
	c.tellGoneLocked()
	left := c.core.Leaving(nil)
	c.kickLocked()
	c.unlock()
	for len(left) > 0 {
		if err := c.Life.Pause(ctx, dropPause); err != nil {
			return err
		}
		c.lock()
		left = c.core.Leaving(left)
		c.unlock()
	}
	return nil
}

// IsAlone reports whether nobody else has copies of what is held here.
func (c *leaving) IsAlone() bool { return c.alone.Load() }
