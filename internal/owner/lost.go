package owner

import (
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// DropLost forgets what this member does not own in v, so that nothing old can
// return when the keys come back to it. The holders of copies do the same, so the registrations of
// what was lost need no invalidation. They stay in the books until they lapse, for the
// keys may come back before that, and a holder that learns of both changes at
// once sees the same owner and keeps its copy. Writers that run for what was lost
// hold back the acknowledgement of v. What nobody could load again stays, to be handed
// over.
func (c *Part) DropLost(v *view.View) {
	lost := func(key string) bool { return v.Standing(ring.Hash(c.Seed, key)) != view.OwnsIt }
	shards := c.made()
	for i := range shards {
		s := &shards[i]
		s.mu.Lock()
		s.changes.Add(1)
		for key := range s.lanes {
			if lost(key) {
				if l := s.lanes[key]; !c.Faults.KeepClaims || l.current == nil || l.current.claim == nil {
					c.voidKeyLocked(s, key)
				}
				c.advanceLocked(s, ring.Hash(c.Seed, key), key) // who waits there asks the new owner
			}
		}
		c.dropClaimsLocked(s, lost, errMoved)
		for key, w := range s.writings.calls {
			if lost(key) {
				c.holdWritingLocked(w)
			}
		}
		s.mu.Unlock()
	}
	if c.Origin.Load != nil {
		c.Store.DeleteIf(func(hash uint64, _ *store.Entry) bool { return v.Standing(hash) != view.OwnsIt })
	}
}
