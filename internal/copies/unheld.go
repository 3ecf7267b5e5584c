package copies

import (
	"fmt"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/replica"
)

// restoreLocked has what the key had written again, above what is written, if some have that and too
// few can hold it: so nothing is changed. It reports false if nobody has it, or it is done already, or a
// Clear may end what the key had.
func (w *Write) restoreLocked() bool {
	if w.write.Nowhere() || w.unheld != nil || w.isClearingLocked() {
		return false
	}
	w.unheld = w.tooLarge()
	former := w.Store.PeekHash(w.hash, w.Clock.Now())
	if former == nil {
		former = w.copyOf(w.e.Key, nil, Order{})
	}
	w.e = w.again(former)
	w.write.Restore(w.e)
	return true
}

// tooLarge says who cannot hold what is written, and why.
func (w *Write) tooLarge() error {
	id, limit := w.write.Limit()
	who := "another member"
	if o := w.view.Peers[id]; o != nil {
		who = fmt.Sprintf("%s (%s)", o.Name, o.Addr)
	}
	why := fmt.Sprintf("it takes %d bytes with its key and bookkeeping, and %s, which is to have a copy, holds at most %d in one entry: see GroupOptions.MaxBytes",
		w.e.Size(), who, limit.Bytes)
	if limit.Of == replica.OfValue {
		why = fmt.Sprintf("it has %d bytes, and Options.MaxValueBytes of %s, which is to have a copy, is %d", len(w.e.Data), who, limit.Bytes)
	}
	return &errs.RemoteError{Text: fmt.Sprintf("%v: %s", errs.ErrTooLarge, why), Known: errs.ErrTooLarge}
}

// heldLocked returns why what was installed is not held here: the store was given less room a moment ago.
// Then the key is deleted.
func (w *Write) heldLocked() error {
	now := w.Clock.Now()
	e := w.Store.PeekHash(w.hash, now)
	deleted := e != nil && e.Version != w.e.Version
	if !deleted && (w.e.Expires != 0 && w.e.Expires <= now || e != nil || w.e.Size() <= w.Store.MaxEntry()) {
		return nil
	}
	return w.MaybeApplied(&errs.RemoteError{Text: errs.ErrTooLarge.Error(), Known: errs.ErrTooLarge})
}
