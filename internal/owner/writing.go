package owner

import (
	"context"
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A writing is a call of the Writer that has not returned. Its key is reserved
// while its time lasts, GroupOptions.LoadTimeout. If it has not returned then, the
// key is forgotten and may be loaded again; what waits until the Writer returns,
// however long that takes, is the next write of the key:
//
//  1. Set A calls the Writer, which hangs; A's time passes, and its caller is told
//     that it may be applied.
//  2. Set B would call the Writer, return nil, and be seen.
//  3. A's Writer changes the row after all: B is undone.
//
// The same goes for a change of view, with B at another owner. So a Writer that
// runs for a key that is lost holds back this member's acknowledgement of the view,
// as values on their way do, until it returns; at most for another LoadTimeout
// after its time has passed, or one Writer that hangs would keep the whole mesh from
// settling.
//
// Guarded by the lock of the key's shard.
type writing struct {
	free     chan struct{} // closed when the next write of the key shall look again
	returned bool
	overdue  bool        // its time has passed
	givenUp  bool        // it holds nothing back any more
	holds    bool        // it is counted in Duties.Handing
	timer    *time.Timer // gives it up, once it is overdue
}

// maxOverdue bounds the Writers of a shard's keys that have not returned though
// their time has passed.
const maxOverdue = 64

var errOverdue = fmt.Errorf("%w: %d Writers have not returned, though their time has passed", errs.ErrOverloaded, maxOverdue)

// beginWritingLocked notes that the Writer will be called for a key that is
// reserved.
func (s *shard) beginWritingLocked(key string) {
	s.writings[key] = &writing{free: make(chan struct{})}
}

// writingLocked returns what a write of the origin must wait for first, nil for
// nothing, or why it must not be made.
func (s *shard) writingLocked(key string) (pending <-chan struct{}, err error) {
	if w := s.writings[key]; w != nil {
		return w.free, nil
	}
	if s.overdue >= maxOverdue {
		return nil, errOverdue
	}
	return nil, nil
}

// isWriting reports whether the Writer runs for a key.
func (s *shard) isWriting(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writings[key] != nil
}

// writeOrigin calls the Writer: Delete if e is nil, else Store. Its error is a
// *WriteError. A Writer that ignores its context may change the origin after its
// time has passed: when it returns, what was loaded meanwhile is forgotten.
func (c *Part) writeOrigin(ctx context.Context, s *shard, hash uint64, key string, e *store.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, c.LoadTimeout)
	defer cancel()
	defer context.AfterFunc(c.Life.Context(), cancel)()
	defer c.State.WhileEntitled(c.Right, cancel)()
	s.mu.Lock()
	w := s.writings[key]
	s.mu.Unlock()
	err := c.Origin.CallWriter(ctx, key, e, func() {
		if c.endWriting(s, key, w) {
			// Nobody waits for this goroutine; an error would reach no one.
			c.Others.Forget(context.WithoutCancel(ctx), hash, key)
			c.Duties.Telling.Add(-1)
		}
	})
	if err != nil {
		c.passOver(s, key, w)
	}
	return err
}

// endWriting notes that the Writer has returned. It reports whether that was after
// its time; then the key's owner, whoever it is, is to be told: see Duties.Telling.
func (c *Part) endWriting(s *shard, key string, w *writing) (late bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.returned = true
	if w.overdue {
		s.overdue--
		w.timer.Stop()
		c.Duties.Telling.Add(1)
	}
	delete(s.writings, key)
	close(w.free)
	c.letGoLocked(w)
	return w.overdue
}

// passOver notes that a Writer's time has passed, if it has not returned.
func (c *Part) passOver(s *shard, key string, w *writing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.returned {
		return
	}
	w.overdue = true
	s.overdue++
	w.timer = time.AfterFunc(c.LoadTimeout, func() { c.giveUpWriting(s, key, w) })
}

// giveUpWriting lets changes of view go on without a Writer.
func (c *Part) giveUpWriting(s *shard, key string, w *writing) {
	s.mu.Lock()
	if w.returned || c.Life.IsClosing() {
		s.mu.Unlock()
		return
	}
	w.givenUp = true
	c.letGoLocked(w)
	s.mu.Unlock()
	c.Counts.StuckWrites.Add(1)
	c.Log.Error("a Writer has not returned, though its time has passed: if the key gets another owner, what it writes yet may undo a later write",
		"group", c.Name, "key", key, "timeout", c.LoadTimeout)
}

// holdWritingLocked makes the Writer that runs for a key that is lost hold back
// the acknowledgement of the view. Who waits for it looks for the new owner.
func (c *Part) holdWritingLocked(w *writing) {
	if !w.holds && !w.givenUp && !c.Faults.SkipWriterDrain {
		w.holds = true
		c.Duties.Handing.Add(1)
	}
	close(w.free)
	w.free = make(chan struct{})
}

func (c *Part) letGoLocked(w *writing) {
	if w.holds {
		w.holds = false
		c.Duties.Handing.Add(-1)
		c.Duties.Poke() // the vote that waited for this
	}
}
