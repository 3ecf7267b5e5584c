package cachemesh

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/errs"
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
	// callOff ends the part's Loading: whoever closes the group has no time left.
	callOff context.CancelFunc
	hurried atomic.Bool // whoever closes the group has no time left

	done   chan struct{} // closed at the end; nil before Close was called; guarded by Node.mu
	result error         // set before done is closed
}

var errNotKept = errors.New("there is no room to keep them until the group is registered again")

func (c *groupCore) closeGroup(ctx context.Context) error {
	n, cl := c.node, &c.closure
	n.mu.Lock()
	switch {
	case cl.done != nil:
	default:
		done := make(chan struct{})
		if !n.life.Go(func() {
			cl.result = c.carryOutClose()
			cl.callOff()
			close(done)
		}) {
			n.mu.Unlock()
			return errs.ErrClosed
		}
		cl.done = done
	}
	n.mu.Unlock()
	select {
	case <-cl.done:
		return cl.result
	case <-ctx.Done():
		cl.hurried.Store(true)
		c.hurry()
		return ctx.Err()
	}
}

// hurry calls loads off if there is no time left, but not before the group is cut: until
// then it answers whoever asks.
func (c *groupCore) hurry() {
	if c.closure.hurried.Load() && c.IsCut() {
		c.closure.callOff()
	}
}

// carryOutClose closes the group, in the order that keeps its keys' histories: while a
// lease is out the group goes on, since a write through a member that does not know it
// recalls nothing; and before it is unknown nothing of it can be served here.
func (c *groupCore) carryOutClose() error {
	c.EndLeases()
	lost := c.cutOff()
	c.hurry()
	if err := c.AwaitQuiet(); err != nil {
		return err
	}
	if err := c.node.removeGroup(c); err != nil {
		return err
	}
	c.node.budget.release(c)
	c.Part.Release() // the callers' handle need not keep them
	if lost > 0 {
		c.Log.Warn("a group was closed, and not all of its values that no loader could bring back could be kept", "group", c.Name, "lost", lost)
		return &errs.LostError{Values: lost, Err: errNotKept}
	}
	return nil
}

// cut ends what the group holds and answers. It returns how many values are lost.
func (c *groupCore) cutOff() (lost int) {
	if c.Origin.Load != nil {
		c.Hot.Close()
		c.Store.Close() // first: a Delete that finds a closed shard is told that nothing is held
		c.CloseShards()
		c.ForgetFailures()
		c.SetCut()
		return 0
	}
	n := c.node
	n.settler.WhileStill(func() { // or a change of view could hand over what is kept here, too
		n.duties.Handing.Add(1) // what others own by now is parked before the mover can end
		c.CloseShards()         // nothing is written from here on
		lost = n.keepValues(c, c.valuesHeld())
		c.Hot.Close()
		c.Store.Close()
		n.handOver()
		n.duties.Handing.Add(-1)
		n.settler.Poke()
	})
	return lost
}

// valuesHeld returns what nobody could load again. A value of which the origin is being
// written is not among it: whatever comes of that, it is the former one.
func (c *groupCore) valuesHeld() (held []parcel) {
	c.EachSettled(func(hash uint64, e *store.Entry) { held = append(held, parcel{c, hash, e}) })
	return held
}

// heir returns the group that is registered under the name of this one by now.
func (c *groupCore) heir() *groupCore {
	if c.IsCut() {
		if h := c.node.group(c.Name); h != nil {
			return h
		}
	}
	return c
}
