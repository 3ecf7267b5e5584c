package owner

import (
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// registerLocked notes a holder of a copy of a value, and returns the number of the session under
// which it is granted; 0: it is not.
func (c *keys) registerLocked(s *shard, hash uint64, e *store.Entry, id string, now int64) (number uint64) {
	v, era := c.State.View(), c.State.Era() // the view is nil if the node closed a moment ago
	if s.clearing > 0 || s.closed || v == nil || holderIn(v, id) == nil || s.reserved.isTaken(e.Key) {
		return 0
	}
	if s.registered.isLeaving(hash) && !c.Faults.Sessions.GrantLeaving {
		return 0
	}
	if c.Origin.Load != nil && e.Epoch.Load() != era && !c.Faults.Sessions.GrantFormer {
		return 0 // it is about to go, and no copy is recalled for that
	}
	slot, number := c.Sessions.Standing(id, era)
	if number == 0 {
		return 0
	}
	c.registers.Store(true)
	c.granted.Store(true)
	cramped := c.Faults.Sessions.Cramped && s.registered.used > 0 && s.registered.find(hash) < 0
	if cramped || !s.registered.note(hash, slot, endOf(FreshUntil(e), now), &c.notes) {
		c.relieveLocked(s)
		return 0
	}
	if l := labelOf(e); (l != nil || s.registered.labelOf(hash) != nil) && !s.registered.bear(hash, l, &c.notes) {
		return 0 // the registration stays, for it may be one of before
	}
	return number
}

// holderIn returns a member that may hold copies: a peer, or this one itself, for those outside
// the mesh to whom it lends values. nil: it is in no view.
func holderIn(v *view.View, id string) *view.Owner {
	if v.Self >= 0 && v.Owners[v.Self].ID == id {
		return &v.Owners[v.Self]
	}
	return v.Peers[id]
}

// isHeldLocked reports whether somebody may serve a copy of a key. If all who could have lapsed,
// their sessions are broken, so that they never do again: the caller goes on without them.
func (c *keys) isHeldLocked(s *shard, hash uint64, now int64) bool {
	i := s.registered.find(hash)
	if i < 0 {
		return false
	}
	held := false
	if !s.registered.cells[i].end.isOver(now) {
		for _, slot := range s.registered.holders(nil, i) {
			held = c.Sessions.Serves(slot, now) || held
		}
	}
	if !held {
		s.registered.remove(i, &c.notes)
		s.unlabel(hash, &c.notes)
	}
	return held
}

// recall ends all copies of a key that is reserved. It returns when every holder has
// acknowledged or its session has lapsed.
func (c *keys) recall(s *shard, hash uint64, key string) {
	s.mu.Lock()
	slots := s.registered.take(hash, &c.notes)
	s.mu.Unlock()
	c.holders.recall(slots, hash, key)
}

// relieveBatch is how many registrations are taken back at once where there is no room for more.
const relieveBatch = 64

// relieveLocked takes registrations back, in the background, since there is no room for another.
func (c *keys) relieveLocked(s *shard) {
	if s.relieving {
		return
	}
	leaving := s.registered.leave(relieveBatch, func(hash uint64) bool { return c.Store.PeekHash(hash, c.Clock.Now()) != nil })
	if len(leaving.holders) == 0 {
		return
	}
	s.relieving = c.Life.Go(func() {
		for hash, slots := range leaving.holders {
			c.holders.takeBack(s, leaving, hash, slots, &c.notes)
		}
		s.mu.Lock()
		s.relieving = false
		s.mu.Unlock()
	})
	if !s.relieving { // the node closes
		clear(s.registered.leaving)
	}
}

// takeBack recalls the copies of a hash that is among a departure, and ends its registration.
func (c recaller) takeBack(s *shard, d departure, hash uint64, slots []session.Slot, room *allowance) {
	c.recall(slots, hash, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registered.left(d, hash, room)
	s.unlabel(hash, room)
}

// SweepBooks forgets registrations of what nobody can serve any more: of values that have ended, of
// sessions that are over, and of keys that are another's in a view that has settled: all who are in it
// have dropped the copies that this member granted.
func (c *keys) SweepBooks(now int64) {
	c.windows.sweep(now)
	if !c.registers.Swap(false) {
		return
	}
	c.eachShard(func(s *shard) {
		v := c.State.View()
		purge := v != nil && (v.Settled() || c.Faults.Sessions.PurgeEarly)
		s.registered.sweep(&c.notes, func(hash uint64, end tick, holders []session.Slot) bool {
			if end.isOver(now) || purge && v.Standing(hash) == view.Foreign {
				return false
			}
			return len(c.holders.sessionsOf(holders)) > 0
		}, func(hash uint64) { s.unlabel(hash, &c.notes) })
		if s.registered.used > 0 {
			c.registers.Store(true)
		}
	})
}
