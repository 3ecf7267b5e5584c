package copies

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// guarded is the core with its lock, and what else that guards.
type guarded struct {
	Basis

	shown atomic.Uint32 // the Epoch of entries that may be hits; counts views
	alone atomic.Bool   // nobody else is to have copies; changes with mu held
	mend  func()        // asks and sends until the core has nothing left to do
	long  atomic.Int32  // above 0: who holds mu looks at all that is held

	mu      sync.Mutex // guards the fields below
	core    *replica.Core
	view    *view.View // that the core has; nil before the first
	sound   bool       // this member had all digests in the view that settled last
	counted bool       // Learning was told that digests are to come
	apart   int64      // since when it answers without a majority; 0: it does not
	closed  bool       // nothing is begun any more
	mending bool       // a goroutine runs mend
	kick    chan struct{}
	clears  clearings
	hasten  bool  // whom it asks has its view by now
	few     int64 // since when too few members were seen to keep copies; 0: they are enough

	gone     departures
	picks    bool // what is written removes what goes with a removal; guarded by mu
	restores bool // what is written is what was there; guarded by mu
}

// partsMade counts the parts of this process: a holder's epochs tell them apart.
var partsMade atomic.Uint32

// Apart is the least epoch of a member that keeps no copies of a group.
const Apart = replica.Apart

// passedOver is for how long a holder that did not answer is asked nothing.
const passedOver = time.Second

// init prepares it for a part that has no view yet.
func (c *guarded) init(b Basis) {
	c.Basis = b
	c.kick, c.clears = make(chan struct{}, 1), make(clearings)
	c.core = replica.New(replica.Config{Self: b.Self, Copies: b.Copies, Fewer: b.Fewer, Epoch: replica.EpochOf(partsMade.Add(1)), Held: held{&c.Basis}, Faults: b.Faults,
		Silent: int64(passedOver), Trace: c.trace, Hide: c.hide})
	c.shown.Store(1)
	c.alone.Store(true)
}

// hide is called by the core.
func (c *guarded) hide(hash uint64) {
	if e := c.Store.PeekHash(hash, c.Clock.Now()); e != nil {
		e.Epoch.Store(0)
	}
}

// lock and unlock guard what the core knows. Whatever the store gave up meanwhile the core
// hears when it is unlocked.
func (c *guarded) lock() { c.mu.Lock() }

func (c *guarded) unlock() {
	c.tellGoneLocked()
	if c.few != 0 && !c.core.TooFew() {
		c.few = 0 // when they are too few again, others may be about to register the group again
	}
	if alone := c.core.Alone(); c.view != nil && alone != c.alone.Load() {
		c.alone.Store(alone)
	}
	learns := c.view != nil && c.view.Self >= 0 && !c.closed && !c.core.Ready()
	if learns != c.counted {
		c.counted = learns
		c.Learning(learns)
	}
	if !c.mending && !c.closed && c.view != nil && !c.core.Idle() {
		c.mending = c.Life.Go(c.mend)
	}
	c.mu.Unlock()
}

// lockLong is lock for what looks at all that is held: others should not wait for that which
// have more to do.
func (c *guarded) lockLong() {
	c.long.Add(1)
	c.lock()
}

func (c *guarded) unlockLong() {
	c.unlock()
	c.long.Add(-1)
}

// kickLocked says that there may be more to do by now.
func (c *guarded) kickLocked() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// wantLocked has the copies of a key made before those of others.
func (c *guarded) wantLocked(hash uint64) {
	c.core.Want(hash)
	c.kickLocked()
}

// View returns the view by which copies are held, nil before the first.
func (c *guarded) View() *view.View {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.view
}

func (c *guarded) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Close ends it: nothing is sent or held any more.
func (c *guarded) Close() {
	c.lock()
	defer c.unlock()
	c.closed = true
}
