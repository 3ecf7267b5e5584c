//go:build !linux

package timer

import "time"

// A Timer is package time's, with its precision.
type Timer struct{}

// New makes a timer.
func New() (*Timer, error) { return &Timer{}, nil }

// Until waits until a point in time. It returns at once if that is past.
func (t *Timer) Until(at time.Time) { time.Sleep(time.Until(at)) }

// Close frees the timer.
func (t *Timer) Close() error { return nil }
