package owner

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// writes are the writes of a part's keys.
type writes struct{ *loads }

// writeOrigin calls the Writer: Delete if e is nil, else Store. Its error is a
// *WriteError. A Writer that ignores its context may change the origin after its
// time has passed: when it returns, what was loaded meanwhile is forgotten.
func (c *writes) writeOrigin(ctx context.Context, s *shard, hash uint64, key string, e *store.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, c.LoadTimeout)
	defer cancel()
	defer context.AfterFunc(c.Life.Context(), cancel)()
	defer c.State.WhileEntitled(c.Right, cancel)()
	s.mu.Lock()
	w := s.writings.calls[key]
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
func (c *writes) endWriting(s *shard, key string, w *writing) (late bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if late = s.writings.end(key, w); late {
		c.Duties.Telling.Add(1)
	}
	c.letGoLocked(w)
	return late
}

// passOver notes that a Writer's time has passed, if it has not returned.
func (c *writes) passOver(s *shard, key string, w *writing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writings.passOver(w) {
		w.timer = time.AfterFunc(c.LoadTimeout, func() { c.giveUpWriting(s, key, w) })
	}
}

// giveUpWriting lets changes of view go on without a Writer.
func (c *writes) giveUpWriting(s *shard, key string, w *writing) {
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
func (c *writes) holdWritingLocked(w *writing) {
	if !w.holds && !w.givenUp && !c.Faults.SkipWriterDrain {
		w.holds = true
		c.Duties.Handing.Add(1)
	}
	close(w.free)
	w.free = make(chan struct{})
}

func (c *writes) letGoLocked(w *writing) {
	if w.holds {
		w.holds = false
		c.Duties.Handing.Add(-1)
		c.Duties.Poke() // the vote that waited for this
	}
}
