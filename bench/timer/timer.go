// Package timer waits until a point in time. Package time wakes a process that
// is idle up to a millisecond late, which is more than what is measured here.
package timer

import "time"

// idle are timers that nobody waits by.
var idle = make(chan *Timer, 64)

// Sleep waits for a duration. It is called concurrently.
func Sleep(d time.Duration) {
	var t *Timer
	select {
	case t = <-idle:
	default:
		var err error
		if t, err = New(); err != nil {
			time.Sleep(d)
			return
		}
	}
	t.Until(time.Now().Add(d))
	select {
	case idle <- t:
	default:
		t.Close()
	}
}
