package owner

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// ClearCalls bounds how many peers are told at once, and how many recalls one
// member makes.
const ClearCalls = 32

// ClearHere forgets everything that this member owns of the group, and recalls
// the copies of it. The origin stays as it is. The id is that of the view by which
// the caller acts. The keys' history has the Clear where the store is emptied; so
// what is loaded around that, and may be older, is not stored.
func (c *Part) ClearHere(ctx context.Context, id uint64) error {
	if !c.State.ActsBy(id) {
		return errs.ErrUnsettled
	}
	c.stopGrants()
	c.recallEverything()
	c.eachShard(func(s *shard) {
		s.emptying++
		c.voidAllLocked(s)
	})
	c.Store.Clear()
	c.ForgetFailures()
	closed := false
	c.eachShard(func(s *shard) {
		s.emptying--
		s.clearing--
		c.voidAllLocked(s)
		closed = closed || s.closed
	})
	switch {
	case closed: // what it held may be kept elsewhere
		return c.closedError()
	case !c.State.ActsBy(id), c.Clock.Now() >= c.State.Confirmed():
		return errs.ErrUnsettled
	case c.State.Phase() == view.AsMinority:
		return &errs.PeerError{Op: wire.OpNames[wire.OpClear], Member: c.Member, Addr: c.Addr, MaybeApplied: true, Err: errs.ErrMinority}
	}
	return nil
}

// stopGrants grants no copy any more: one could be granted of a value that the store is about
// to lose.
func (c *keys) stopGrants() {
	c.allShards() // those that stop grants are those that would grant, or grant again
	c.eachShard(func(s *shard) { s.clearing++ })
}

// recallEverything recalls all copies of the group, when none is granted any more: with one message a holder.
// Holders of copies that a write is recalling are in no book: so all that have a session are told.
func (c *keys) recallEverything() {
	if !c.granted.Load() || c.Faults.SkipInvalidation {
		return
	}
	c.holders.tellEach(c.Sessions.All(c.Clock.Now()), c.Others.InvalidateAll)
	c.eachShard(func(s *shard) { s.forgetRegistered(&c.notes) })
}

// forgetRegistered forgets all registrations.
func (s *shard) forgetRegistered(room *allowance) {
	s.registered.sweep(room, func(uint64, tick, []session.Slot) bool { return false },
		func(hash uint64) { s.unlabel(hash, room) })
}

// recallUnstored recalls the copies of what the store has no more: which keys they are of is not known.
func (c *keys) recallUnstored() {
	var g errgroup.Group
	g.SetLimit(ClearCalls)
	for i := range c.made() {
		s := &c.made()[i]
		s.mu.Lock()
		all := s.registered.leaveAll(func(hash uint64) bool { return c.Store.PeekHash(hash, c.Clock.Now()) == nil })
		s.mu.Unlock()
		for hash, slots := range all.holders {
			g.Go(func() error {
				c.holders.takeBack(s, all, hash, slots, &c.notes)
				return nil
			})
		}
	}
	g.Wait()
}
