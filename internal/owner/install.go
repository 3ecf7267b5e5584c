package owner

import (
	"errors"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// writableLocked returns why a write cannot be carried out.
func (c *changes) writableLocked(s *shard, hash uint64, ch Change) error {
	err := c.openLocked(s, hash, ch)
	if err == nil && !c.shows(hash) {
		err = errs.ErrUnsettled
	}
	return err
}

// openLocked is writableLocked, but whether a key has its copies is not looked at.
func (c *changes) openLocked(s *shard, hash uint64, ch Change) error {
	if s.closed {
		return c.closedError()
	}
	if ch.E != nil && ch.E.Size() > c.Store.MaxEntry() {
		return c.tooLarge(ch.E)
	}
	err := c.State.MayServe(hash, c.Clock.Now())
	if ch.Merge && c.copies == nil && errors.Is(err, errs.ErrUnsettled) {
		return nil
	}
	if err == nil && c.WritesOrigin(ch) && c.State.Phase() == view.AsMinority {
		return c.minorityError(ch, false) // the origin is not touched
	}
	return err
}

// installLocked changes the store and takes back the token of a load. In a
// minority the change holds on this side only, and that is an error.
func (c *changes) installLocked(s *shard, hash uint64, key string, ch Change) error {
	err := c.openLocked(s, hash, ch)
	if err == nil && ch.sent == nil && !c.shows(hash) { // what was sent looks itself, when it is installed
		err = errs.ErrUnsettled
	}
	if err != nil {
		return err
	}
	if err := c.putLocked(s, hash, key, ch); err != nil || ch.Merge {
		return err
	}
	if c.State.Phase() != view.AsMinority {
		return nil
	}
	c.Owe(key)
	return c.minorityError(ch, true)
}

// putLocked changes the store and takes back the token of a load.
func (c *changes) putLocked(s *shard, hash uint64, key string, ch Change) error {
	c.voidKeyLocked(s, key)
	s.changes.Add(1)
	s.tooLarge.forget(key, &c.notes)
	c.setbacks.forget(key)
	if c.copies != nil {
		return c.putCopiedLocked(hash, key, ch)
	}
	now, era := c.Clock.Now(), c.State.Era() // before dated looks whether a member is missing
	e := c.dated(ch, key, now)
	if ch.Merge {
		if old := c.Store.Peek(hash, key, now); old != nil && !e.Version.After(old.Version) {
			return nil
		}
	}
	if e == nil || e.Expires != 0 && e.Expires <= now {
		c.Store.Remove(hash, key, ch.why())
		ch.If.noteMade(nil)
		return nil
	}
	c.attend(e, now)
	e.Epoch.Store(era)
	if l := labelOf(e); l != nil && ch.If != nil && ch.If.Touch {
		l.Hold() // its place in the lists is that of the value, if that is there
		defer l.Release()
		if c.Store.Peek(hash, key, now) != ch.If.Got.Entry {
			ch.If.noteMade(nil) // it was evicted a moment ago
			return nil
		}
	}
	if err := c.storeError(e, c.put(hash, e, now)); err != nil {
		return err
	}
	ch.If.noteMade(e)
	return nil
}

// KeepForOthers keeps a value that another member owns, if it is newer than what is here,
// to be handed over.
func (c *changes) KeepForOthers(hash uint64, e *store.Entry) error {
	c.label(e)
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.putLocked(s, hash, e.Key, Change{E: e, Merge: true})
}
