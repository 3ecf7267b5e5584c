package groups

import (
	"context"
	"errors"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/route"
)

var errNotKept = errors.New("there is no room to keep them until the group is registered again")

// CloseGroup takes a group off this member, once. If ctx ends first, loads are called off, and
// it goes on. Errors: *errs.LostError; ctx's; errs.ErrClosed if the node closes.
func (r *Registry) CloseGroup(ctx context.Context, c *Core) error {
	cl := &c.closure
	cl.mu.Lock()
	if cl.done == nil {
		done := make(chan struct{})
		if !c.Life.Go(func() {
			cl.result = r.carryOutClose(c)
			cl.callOff()
			close(done)
		}) {
			cl.mu.Unlock()
			return errs.ErrClosed
		}
		cl.done = done
	}
	cl.mu.Unlock()
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
func (c *Core) hurry() {
	if c.closure.hurried.Load() && c.IsCut() {
		c.closure.callOff()
	}
}

// carryOutClose closes the group, in the order that keeps its keys' histories: while a
// copy is out the group goes on, since a write through a member that does not know it
// recalls nothing; and before it is unknown nothing of it can be served here.
func (r *Registry) carryOutClose(c *Core) error {
	c.EndCopies()
	lost := r.cutOff(c)
	c.hurry()
	if err := c.AwaitQuiet(); err != nil {
		return err
	}
	if err := r.remove(c); err != nil {
		return err
	}
	c.tellOthers()
	r.Budget.release(c)
	c.Part.Release() // the callers' handle need not keep them
	if lost > 0 {
		c.Log.Warn("a group was closed, and not all of its values that no loader could bring back could be kept", "group", c.Name, "values", lost)
		return &errs.LostError{Values: lost, Err: errNotKept}
	}
	return nil
}

// cutOff ends what the group holds and answers. It returns how many values are lost.
func (r *Registry) cutOff(c *Core) (lost int) {
	c.tellAll()
	elsewhere := c.Origin.Load != nil // what is held here
	if cp := c.Copies(); cp != nil {
		elsewhere = !cp.IsAlone() // others hold copies of what was this member's
		cp.Close()
	}
	if elsewhere {
		c.Hot.Close()
		c.Store.Close() // first: a Delete that finds a closed shard is told that nothing is held
		c.CloseShards()
		c.ForgetFailures()
		c.SetCut()
		return 0
	}
	r.settler.WhileStill(func() { // or a change of view could hand over what is kept here, too
		r.duties.Handing.Add(1) // what others own by now is parked before the mover can end
		c.CloseShards()         // nothing is written from here on
		lost = r.keep(c)
		c.Hot.Close()
		c.Store.Close()
		r.Mover.HandOver()
		r.duties.Handing.Add(-1)
		r.settler.Poke()
	})
	return lost
}

// keep parks what a group holds that is cut with that. It returns how many values had no
// room.
func (r *Registry) keep(c *Core) (lost int) {
	held := r.Mover.Parking.Pack(&c.Part)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Mover.Parking.Keep(&c.Part, held, held.Any() && r.retired.add(c))
}

// remove frees the name of a group that is cut.
func (r *Registry) remove(c *Core) error {
	for {
		r.mu.Lock()
		owes := c.Origin.Load != nil && c.Owed.Any()
		if !owes || r.retired.add(c) {
			r.table.removeLocked(c)
			r.mu.Unlock()
			return nil
		}
		r.mu.Unlock()
		if err := r.setting.Life.Pause(context.Background(), route.RetryCeiling); err != nil {
			return err
		}
	}
}
