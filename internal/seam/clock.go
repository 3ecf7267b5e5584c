package seam

import (
	"sync/atomic"
	"time"
)

// A Clock is a node's, which shows the machine's time until a test suspends it. Its
// methods are called concurrently, but Suspend and Wake by one goroutine.
//
// What a process sees of a suspension of its machine is this: while it lasts it sees
// nothing, and afterwards the wall clock has leapt ahead of the monotonic one. A
// bubble cannot stop one member's goroutines, but while its clock is suspended they
// cannot tell: both clocks stand still.
type Clock struct {
	base time.Time    // zero of Mono
	lost atomic.Int64 // nanoseconds that Mono did not count; while it stands still, what it shows, inverted
	wall atomic.Int64 // what Wall shows, in Unix nanoseconds, while it stands still
}

// Clocked is a Network that suspends its node's clock.
type Clocked interface {
	// SetClock is called once, before the node runs.
	SetClock(*Clock)
}

// Start sets Mono to zero. A clock must not be copied afterwards.
func (c *Clock) Start() { c.base = time.Now() }

// Mono returns nanoseconds on the monotonic clock since Start.
func (c *Clock) Mono() int64 {
	lost := c.lost.Load()
	if lost < 0 {
		return ^lost
	}
	return int64(time.Since(c.base)) - lost
}

// Wall returns the wall clock's time, without a monotonic reading.
func (c *Clock) Wall() time.Time {
	if c.lost.Load() < 0 {
		return time.Unix(0, c.wall.Load())
	}
	return time.Now().Round(0)
}

// Suspend stops both clocks.
func (c *Clock) Suspend() {
	c.wall.Store(time.Now().UnixNano())
	c.lost.Store(^c.Mono())
}

// Wake lets both go on: the wall clock from where it would be, the monotonic one
// from where it stopped.
func (c *Clock) Wake() { c.lost.Store(int64(time.Since(c.base)) - c.Mono()) }
