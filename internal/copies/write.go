package copies

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// writes are those of this member's own keys.
type writes struct{ asks }

// A Write is a write on its way to those that shall hold copies. It ends with Install or
// Abandon, or an error of Carry. It is one goroutine's.
type Write struct {
	*writes
	hash  uint64
	e     *store.Entry // a trace for a Delete
	write *replica.Write
	over  bool

	unheld  error // too few can hold it: what the key had is written again
	decided bool  // on a condition
	picked  bool  // see Order.Picked
	state   replica.State
	letters []letter      // under way, unless a goroutine has them
	room    [2]letter     // letters are in it at first
	told    chan struct{} // such a goroutine was answered; nil: there is none
}

// Start begins a write of an entry, which is the Part's then, or of a Delete if that is nil:
// it is on its way to those that shall hold it. It waits for nothing. Its error is
// errs.ErrUnsettled, and nothing was done.
//
// While a Clear is about to be carried out nothing is changed on a condition: the result
// would be newer than the Clear, and made of what that ends.
func (c *writes) Start(hash uint64, key string, e *store.Entry, o Order) (*Write, error) {
	return c.start(hash, key, e, o, false)
}

// Here is Start where nobody else is to have copies.
func (c *writes) Here(hash uint64, key string, e *store.Entry, o Order) (*Write, error) {
	return c.start(hash, key, e, o, true)
}

func (c *writes) start(hash uint64, key string, e *store.Entry, o Order, alone bool) (*Write, error) {
	c.lock()
	c.tellGoneLocked() // others may have what was evicted a moment ago
	if o.Decided && c.isClearingLocked() || alone && !c.core.Alone() {
		c.unlock()
		return nil, errs.ErrUnsettled
	}
	e = c.copyOf(key, e, o)
	rw, err := c.core.Begin(hash, e)
	if err != nil {
		c.wantLocked(hash)
		c.unlock()
		return nil, errs.ErrUnsettled
	}
	w := &Write{writes: c, hash: hash, e: e, write: rw, decided: o.Decided, picked: o.Picked}
	w.letters = w.room[:0]
	v, sends := w.nextLocked()
	c.unlock()
	w.post(v, sends)
	return w, nil
}

// IsInstant reports whether a write needs no copies, and removes says that it is a Delete:
// nobody else is to have them, or there is nothing to be deleted.
func (c *writes) IsInstant(hash uint64, removes bool) bool {
	return c.alone.Load() || removes && c.IsNothing(hash)
}

// IsNothing reports whether a Delete of a key needs no copies: nobody can have anything.
func (c *writes) IsNothing(hash uint64) bool {
	c.lock()
	defer c.unlock()
	c.tellGoneLocked() // others may have what was evicted a moment ago
	return c.core.Nothing(hash)
}

// Entry returns what is written: a trace for a Delete.
func (w *Write) Entry() *store.Entry { return w.e }

// IsOver reports whether it was installed or abandoned.
func (w *Write) IsOver() bool { return w != nil && w.over }

// Await waits until it is known what the write has come to, and Carry need not wait. It
// reports false if ctx ended first.
func (w *Write) Await(ctx context.Context) bool {
	for w.state == replica.Waiting && !w.Life.IsClosing() {
		if !w.ready(ctx) {
			return false
		}
		w.collect()
	}
	return true
}

// Carry returns when enough members have what is written. With an error the write is over:
// errs.ErrUnsettled, ErrFewCopies or ErrTooLarge, and certainly nobody has it, or a *errs.PeerError.
func (w *Write) Carry() error {
	w.Await(w.Life.Context())
	switch {
	case w.state == replica.Enough:
		return nil
	case w.Life.IsClosing():
		w.drop()
		return w.Abandon(errs.ErrClosed)
	case w.state == replica.Unheld:
		return w.Abandon(w.tooLarge())
	case w.state == replica.Short && w.tooFew() && w.write.Nowhere():
		w.Abandon(errs.ErrFewCopies)
		return errs.ErrFewCopies // and nothing was changed
	}
	return w.Abandon(errs.ErrFewCopies)
}

// fewFor is how long a write waits for others that may be about to register the group.
const fewFor = 2 * time.Second

// tooFew reports whether there are fewer members that keep copies than shall have each value,
// and were when a write was tried so long ago.
func (c *writes) tooFew() bool {
	c.lock()
	defer c.unlock()
	now := max(c.Clock.Now(), 1)
	if c.few == 0 && c.core.TooFew() {
		c.few = now
	}
	return c.few != 0 && now-c.few >= int64(fewFor)
}

// nextLocked notes how far the write is, and returns who it is to be sent to now.
func (w *Write) nextLocked() (*view.View, []replica.Send) {
	for {
		sends, state := w.core.Next(w.write, w.Clock.Now())
		if state == replica.Outdone && w.renewLocked() || state == replica.Unheld && w.restoreLocked() {
			continue
		}
		if state == replica.Outdone {
			state = replica.Stopped
		}
		w.state = state
		return w.view, sends
	}
}

// renewLocked gives the write a version above what somebody has, if this member can.
func (w *Write) renewLocked() bool {
	if w.decided && w.isClearingLocked() {
		return false
	}
	newest := w.write.Newest()
	w.Clock.SeeVersion(newest.Clock)
	e := w.again(w.e)
	if !e.Version.After(newest) {
		return false
	}
	w.e = e
	w.write.Renew(e)
	return true
}

// Install shows what was written. With an error it was abandoned: the view has changed, or
// somebody has something newer. Its errors are Abandon's.
func (w *Write) Install() error {
	w.over = true
	w.lock()
	defer w.unlock()
	w.picks, w.restores = w.picked, w.unheld != nil
	defer func() { w.picks, w.restores = false, false }()
	if !w.core.Stands(w.write) && (w.Faults == nil || !w.Faults.LookOnce) {
		w.wantLocked(w.hash)
		return w.abandonLocked(errs.ErrUnsettled)
	}
	if !w.core.Install(w.write) {
		return w.MaybeApplied(errs.ErrFewCopies)
	}
	if w.core.Shows(w.hash) {
		w.e.Epoch.Store(w.shown.Load())
	}
	if w.unheld != nil {
		return w.unheld
	}
	return w.heldLocked()
}

// Abandon ends a write that is not shown, and returns err as what its caller is told:
// errs.ErrUnsettled, if certainly nobody has it.
func (w *Write) Abandon(err error) error {
	w.over = true
	w.lock()
	defer w.unlock()
	return w.abandonLocked(err)
}

func (w *Write) abandonLocked(err error) error {
	nowhere := w.write.Nowhere()
	w.core.Abandon(w.write)
	w.kickLocked()
	switch {
	case nowhere && (errors.Is(err, errs.ErrClosed) || errors.Is(err, errs.ErrTooLarge)):
		return err
	case nowhere:
		return errs.ErrUnsettled
	case errs.IsUnsettled(err): // or it would be tried again
		err = errs.ErrFewCopies
	}
	return w.MaybeApplied(err)
}

// MaybeApplied says that a write may be applied.
func (w *Write) MaybeApplied(err error) error {
	op := wire.OpNames[wire.OpSet]
	if w.e.Negative {
		op = wire.OpNames[wire.OpDelete]
	}
	return &errs.PeerError{Op: op, Member: w.Member, Addr: w.Addr, MaybeApplied: true, Err: err}
}
