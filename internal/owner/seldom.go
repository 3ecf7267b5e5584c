package owner

import (
	"sync/atomic"
	"time"
)

// seldom says when something is logged that may happen often. The zero value is fit for use,
// concurrently.
type seldom struct{ last atomic.Int64 } // when it was logged; 0: never

const seldomEvery = time.Minute

// isDue reports whether it is to be logged at the time now; the caller does that then.
func (s *seldom) isDue(now int64) bool {
	last := s.last.Load()
	return (last == 0 || now-last >= int64(seldomEvery)) && s.last.CompareAndSwap(last, max(now, 1))
}
