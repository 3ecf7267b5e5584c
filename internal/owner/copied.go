package owner

import (
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// putCopiedLocked is putLocked of a group with copies. What waits for copies was sent before.
func (c *changes) putCopiedLocked(hash uint64, key string, ch Change) error {
	w := ch.sent
	if w == nil {
		if ch.removes() && c.copies.IsNothing(hash) {
			ch.If.noteMade(nil)
			return nil
		}
		var err error
		if w, err = c.copies.Here(hash, key, ch.E, ch.order()); err != nil {
			return err
		}
		if err := w.Carry(); err != nil {
			return err
		}
	}
	if err := w.Install(); err != nil {
		return err
	}
	if err := c.State.MayServe(hash, c.Clock.Now()); err != nil {
		return w.MaybeApplied(errs.ErrFewCopies) // the right to act may have ended before it was shown
	}
	ch.If.noteMade(w.Entry())
	return nil
}

// decideCopiedLocked looks, after copies were made, whether the condition of a change is met
// yet: whether the key has the value for which it was. If not, as when that expired, the
// change may be applied.
func (c *changes) decideCopiedLocked(hash uint64, key string, ch *Change) (decision, error) {
	cond := ch.If
	if cond.isNone() || cond.view == nil || ch.sent == nil {
		return goesAhead, nil
	}
	if c.State.View() != cond.view {
		return isNotMet, errs.ErrFewCopies
	}
	var now store.Version
	if e, _ := c.valueNow(hash, key); e != nil {
		now = e.Version
	}
	if now != cond.seen {
		return isNotMet, errs.ErrFewCopies
	}
	return goesAhead, nil
}

// Bring holds a value that comes from a former owner without copies, or was parked for the
// group, if it is newer than what is here. It is shown when it has its copies. Errors:
// errs.ErrUnsettled, if it is not for this member to hold, and ErrTooLarge.
func (c *changes) Bring(hash uint64, e *store.Entry) error {
	if e.Size() > c.Store.MaxEntry() {
		return c.tooLarge(e)
	}
	c.label(e)
	if !c.copies.Bring(hash, e) {
		return errs.ErrUnsettled
	}
	return nil
}
