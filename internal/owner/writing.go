package owner

import (
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
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

// writings are the calls of the Writer for a shard's keys that have not returned. Guarded by
// its lock.
type writings struct {
	calls   map[string]*writing
	overdue int // of these, those that should have returned
}

// begin notes that the Writer will be called for a key that is reserved.
func (m *writings) begin(key string) { m.calls[key] = &writing{free: make(chan struct{})} }

// pending returns what a write of the origin must wait for first, nil for
// nothing, or why it must not be made.
func (m *writings) pending(key string) (free <-chan struct{}, err error) {
	if w := m.calls[key]; w != nil {
		return w.free, nil
	}
	if m.overdue >= maxOverdue {
		return nil, errOverdue
	}
	return nil, nil
}

// passOver notes that a Writer's time has passed. It reports false if it has returned.
func (m *writings) passOver(w *writing) bool {
	if w.returned {
		return false
	}
	w.overdue = true
	m.overdue++
	return true
}

// end notes that the Writer has returned. It reports whether that was after its time.
func (m *writings) end(key string, w *writing) (late bool) {
	w.returned = true
	if w.overdue {
		m.overdue--
		w.timer.Stop()
	}
	delete(m.calls, key)
	close(w.free)
	return w.overdue
}

// areQuiet reports whether no Writer runs but those that were given up.
func (m *writings) areQuiet() bool {
	for _, w := range m.calls {
		if !w.givenUp {
			return false
		}
	}
	return true
}
