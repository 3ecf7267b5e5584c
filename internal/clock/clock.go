// Package clock is a member's time: nanoseconds on its monotonic clock, which no other
// member can read, and versions, which count on over all members.
//
// What holds: a version is greater than all that this member gave or saw.
//
// Caveats: Now does not count while the machine sleeps, versions do; neither may be compared with
// another member's Now.
package clock

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/seam"
)

// A Clock is one node's. Its methods are called concurrently. The zero value must be
// started, and not copied afterwards.
type Clock struct {
	seam.Clock
	version atomic.Uint64 // the newest given or seen
}

// Now returns nanoseconds on the monotonic clock since Start.
func (c *Clock) Now() int64 { return c.Mono() }

// NextVersion returns a version greater than all that this node gave or saw. It
// follows the wall clock, so that of two writes on two sides of a cut the later
// one most likely counts (a hybrid logical clock, Kulkarni et al. 2014, without
// its logical part's bits).
func (c *Clock) NextVersion() uint64 {
	for {
		last := c.version.Load()
		next := max(uint64(time.Now().UnixNano()), last+1)
		if c.version.CompareAndSwap(last, next) {
			return next
		}
	}
}

// SeeVersion makes later versions greater than v.
func (c *Clock) SeeVersion(v uint64) {
	for last := c.version.Load(); v > last; last = c.version.Load() {
		if c.version.CompareAndSwap(last, v) {
			return
		}
	}
}

// Later returns the time d after t, at most the last that there is.
func Later(t int64, d time.Duration) int64 {
	if int64(d) > math.MaxInt64-t {
		return math.MaxInt64
	}
	return t + int64(d)
}
