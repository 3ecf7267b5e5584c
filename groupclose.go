package cachemesh

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// Close takes the group off this member, so that NewGroup may register one of the same
// name, with another loader, other options or another type. From its end on calls of
// the group fail with ErrGroupClosed, and to the others this member does not know it:
// see NewGroup.
//
// It recalls the copies that others hold of this member's keys, forgets what is held,
// and waits for the loads and Writers that run: their callers are answered, nothing is
// stored. When it returns nil, or a *LostError, the name is free and the memory too. If
// ctx ends first the loads are called off, which fail with ErrGroupClosed, Close returns
// ctx's error, and closing goes on: a later Close waits for it. A Writer that hangs holds it up
// for twice LoadTimeout, a loader no longer than ctx. Do not call it in a loader of the
// group without a deadline.
//
// Values without a loader that this member owns are kept, on the member that owns them
// when the view changes, until the group is registered again, as those are that are
// handed over: up to 64 MiB of all groups. How many had no room a *LostError says. Clear
// the group first to be rid of them.
//
// Errors: *LostError; ctx's own; ErrClosed if the node is, or closes meanwhile. It is
// safe to call more than once.
func (g *Group[V]) Close(ctx context.Context) error { return g.core.closeGroup(ctx) }

// closure is the closing of a group.
type closure struct {
	// cut says that nothing is held any more, and that to peers the group is not
	// registered. The name is taken until done is closed.
	cut atomic.Bool

	// loading ends when loads are called off: the node closes, or whoever closes the
	// group has no time left.
	loading context.Context
	callOff context.CancelFunc
	hurried atomic.Bool // whoever closes the group has no time left

	done   chan struct{} // closed at the end; nil before Close was called; guarded by Node.mu
	result error         // set before done is closed
}

var errNotKept = errors.New("there is no room to keep them until the group is registered again")

// isCut reports whether the group was closed and holds nothing any more.
func (c *groupCore) isCut() bool { return c.closure.cut.Load() }

// open returns ErrGroupClosed if the group was closed.
func (c *groupCore) open() error {
	if c.isCut() {
		return ErrGroupClosed
	}
	return nil
}

// closedError says why a shard is closed. What a group without a loader holds is kept
// elsewhere when it is cut: until that has happened writes and Gets must wait, for a Delete
// that finds nothing here has not reached it.
func (c *groupCore) closedError() error {
	switch {
	case c.node.isClosing():
		return ErrClosed
	case c.loader == nil && !c.isCut():
		return ErrUnsettled
	}
	return ErrGroupClosed
}

func (c *groupCore) closeGroup(ctx context.Context) error {
	n, cl := c.node, &c.closure
	n.mu.Lock()
	switch {
	case cl.done != nil:
	case n.state == stateClosed:
		n.mu.Unlock()
		return ErrClosed
	default:
		cl.done = make(chan struct{})
		n.work.Go(func() {
			cl.result = c.carryOutClose()
			cl.callOff()
			close(cl.done)
		})
	}
	n.mu.Unlock()
	select {
	case <-cl.done:
		return cl.result
	case <-ctx.Done():
		cl.hurried.Store(true)
		cl.hurry()
		return ctx.Err()
	}
}

// hurry calls loads off if there is no time left, but not before the group is cut: until
// then it answers whoever asks.
func (cl *closure) hurry() {
	if cl.hurried.Load() && cl.cut.Load() {
		cl.callOff()
	}
}

// carryOutClose closes the group, in the order that keeps its keys' histories: while a
// lease is out the group goes on, since a write through a member that does not know it
// recalls nothing; and before it is unknown nothing of it can be served here.
func (c *groupCore) carryOutClose() error {
	c.endLeases()
	lost := c.cut()
	c.closure.hurry()
	if err := c.awaitQuiet(); err != nil {
		return err
	}
	if err := c.node.removeGroup(c); err != nil {
		return err
	}
	c.node.budget.release(c)
	c.shards.Store(closedShards) // the callers' handle need not keep them
	if lost > 0 {
		c.node.log.Warn("a group was closed, and not all of its values that no loader could bring back could be kept", "group", c.name, "lost", lost)
		return &LostError{lost, errNotKept}
	}
	return nil
}

// endLeases grants no lease any more, and recalls those that are out. It takes no longer
// than the longest of them.
func (c *groupCore) endLeases() {
	c.allShards() // those that stop leases are those that would grant them
	leased := make(map[string]*shard)
	c.eachShard(func(s *shard) {
		s.clearing++
		for key := range s.books {
			leased[key] = s
		}
	})
	over := later(c.node.now(), c.node.opts.Lease)
	var all errgroup.Group
	all.SetLimit(clearCalls)
	for key, s := range leased {
		all.Go(func() error { c.endLeasesOn(s, key, over); return nil })
	}
	all.Wait()
}

// endLeasesOn recalls the leases on one key. Those that a write or a load that is under
// way recalls are over when that is, or at the time over.
func (c *groupCore) endLeasesOn(s *shard, key string, over int64) {
	for {
		s.mu.Lock()
		now, b := c.node.now(), s.books[key]
		switch {
		case now >= over, b == nil, b.write == nil && !b.live(now):
			s.mu.Unlock()
			return
		case b.write == nil:
			b.write = make(chan struct{})
			s.mu.Unlock()
			hash := ring.Hash(c.seed, key)
			c.recall(s, hash, key)
			s.mu.Lock()
			c.releaseLocked(s, hash, key)
			s.mu.Unlock()
			return
		}
		busy := b.write
		s.mu.Unlock()
		lapse := time.NewTimer(time.Duration(over - now))
		select {
		case <-busy:
		case <-lapse.C:
		case <-c.node.closing:
			lapse.Stop()
			return
		}
		lapse.Stop()
	}
}

// cut ends what the group holds and answers. It returns how many values are lost.
func (c *groupCore) cut() (lost int) {
	if c.loader != nil {
		c.hot.Close()
		c.store.Close() // first: a Delete that finds a closed shard is told that nothing is held
		c.closeShards()
		c.setbacks.forgetAll()
		c.closure.cut.Store(true)
		return 0
	}
	n := c.node
	n.adopting.Lock() // or a change of view could hand over what is kept here, too
	defer n.adopting.Unlock()
	n.handing.Add(1) // what others own by now is parked before the mover can end
	c.closeShards()  // nothing is written from here on
	lost = n.keepValues(c, c.valuesHeld())
	c.hot.Close()
	c.store.Close()
	n.handOver()
	n.handing.Add(-1)
	n.settler.poke()
	return lost
}

func (c *groupCore) closeShards() {
	c.eachShard(func(s *shard) { s.closed = true })
}

// valuesHeld returns what nobody could load again. A value of which the origin is being
// written is not among it: whatever comes of that, it is the former one.
func (c *groupCore) valuesHeld() (held []parcel) {
	writing := make(map[string]bool)
	c.eachShard(func(s *shard) {
		for key := range s.writings {
			writing[key] = true
		}
	})
	c.store.Range(c.node.now(), func(hash uint64, e *store.Entry) bool {
		if !writing[e.Key] {
			held = append(held, parcel{c, hash, e})
		}
		return true
	})
	return held
}

// awaitQuiet waits until no load, no write and no Writer that it can wait for is under way.
func (c *groupCore) awaitQuiet() error {
	for !c.isQuiet() {
		if err := c.node.pause(context.Background(), retryFloor); err != nil {
			return err
		}
	}
	return nil
}

func (c *groupCore) isQuiet() bool {
	quiet := true
	c.eachShard(func(s *shard) {
		quiet = quiet && s.running == 0 && len(s.cohorts) == 0
		for _, b := range s.books {
			quiet = quiet && b.write == nil
		}
		for _, w := range s.writings {
			quiet = quiet && w.givenUp
		}
	})
	return quiet
}

// calledOff returns what those hear whose load ended with an error: that the group was
// closed, if it was called off for that.
func (c *groupCore) calledOff(err error) error {
	if err != nil && c.isCut() && c.closure.loading.Err() != nil && !c.node.isClosing() {
		return ErrGroupClosed
	}
	return err
}

// heir returns the group that is registered under the name of this one by now.
func (c *groupCore) heir() *groupCore {
	if c.isCut() {
		if h := c.node.group(c.name); h != nil {
			return h
		}
	}
	return c
}
