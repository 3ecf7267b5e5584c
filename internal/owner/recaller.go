package owner

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// recallPause is between two attempts to reach a holder.
const recallPause = 5 * time.Millisecond

// A recaller tells holders to drop copies of what this member owns.
type recaller struct{ *Basis }

// recall ends the copies of a key that members have. Without the key, those of its hash.
func (c recaller) recall(slots []session.Slot, hash uint64, key string) {
	if c.Faults.SkipInvalidation || len(slots) == 0 {
		return
	}
	c.tellEach(c.sessionsOf(slots), func(ctx context.Context, to *view.Owner) bool {
		return c.Others.Invalidate(ctx, to, hash, key)
	})
}

func (c recaller) sessionsOf(slots []session.Slot) (all []*session.Session) {
	for _, slot := range slots {
		if h := c.Sessions.At(slot); h != nil {
			all = append(all, h)
		}
	}
	return all
}

// tellEach tells holders to drop something. It returns when every one has acknowledged or its session has
// lapsed, which is broken then.
func (c recaller) tellEach(all []*session.Session, tell func(ctx context.Context, to *view.Owner) bool) {
	if len(all) == 1 {
		c.tellOne(all[0], tell)
		return
	}
	done := make(chan struct{}, len(all))
	for _, h := range all {
		go func() {
			defer func() { done <- struct{}{} }()
			c.tellOne(h, tell)
		}()
	}
	for range all {
		<-done
	}
}

// tellOne tells one holder. The end of its session is read anew each time, for it may be renewed meanwhile.
func (c recaller) tellOne(h *session.Session, tell func(ctx context.Context, to *view.Owner) bool) {
	call := c.Sessions.Begin(h, c.Clock.Now())
	answered := false
	defer func() { c.Sessions.End(h, call, answered) }()
	for !c.Sessions.Lapse(h, c.Clock.Now()) {
		var err error
		if answered, err = c.tellOnce(h, tell); answered || errors.Is(err, errs.ErrClosed) {
			return
		}
	}
}

// tellOnce tells a holder until its session would lapse.
func (c recaller) tellOnce(h *session.Session, tell func(ctx context.Context, to *view.Owner) bool) (answered bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(h.Until()-c.Clock.Now()))
	defer cancel()
	defer context.AfterFunc(c.Life.Context(), cancel)()
	for {
		v := c.State.View()
		if v == nil {
			return false, errs.ErrClosed
		}
		// A holder that is in no view any more drops nothing on our word: its session must lapse.
		if to := holderIn(v, h.Holder.ID); to != nil && tell(ctx, to) {
			return true, nil
		}
		if err := c.Life.Pause(ctx, recallPause); err != nil {
			return false, err
		}
	}
}
