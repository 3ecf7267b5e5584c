package copies

import (
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// ActsBy reports whether this member acts by the view of an id, and holds copies by it.
func (c *guarded) ActsBy(id uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.core.Tells(id)
	return ok && !c.closed && c.State.ActsBy(id)
}

// isClearingLocked reports whether a Clear may be carried out yet.
func (c *guarded) isClearingLocked() bool {
	c.clears.forget(c.Clock.Now())
	return len(c.clears) > 0
}

// AskClear says a version for the Clear of a name. Its error is errs.ErrUnsettled.
func (c *guarded) AskClear(name string) (store.Version, error) {
	c.lock()
	defer c.unlock()
	if !c.clears.add(name, c.Clock.Now()) {
		return store.Version{}, errs.ErrUnsettled
	}
	return c.Values.NextVersion(), nil
}

// NoteClear notes the Clear of a name, which may be carried out from now on. Its error is
// errs.ErrUnsettled, if there are too many.
func (c *guarded) NoteClear(name string, v store.Version) error {
	c.lock()
	defer c.unlock()
	if !c.clears.add(name, c.Clock.Now()) {
		return errs.ErrUnsettled
	}
	c.core.NoteClear(v)
	return nil
}

// Clear carries out the Clear of a name: it forgets what is not above a version. It reports
// false, and does nothing, if it is too late for that.
func (c *guarded) Clear(name string, v store.Version) (inTime bool) {
	c.lockLong()
	defer c.unlockLong()
	if inTime = c.clears[name] > c.Clock.Now(); inTime {
		c.core.Clear(v)
		if c.Store.Len() == 0 {
			c.Store.Clear() // its tables go, too
		}
	}
	delete(c.clears, name)
	return inTime
}
