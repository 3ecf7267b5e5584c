package delay

import (
	"sync"
	"time"
)

// A deadline can be moved while somebody waits for it. Its methods are called concurrently,
// once init was.
type deadline struct {
	mu    sync.Mutex
	ended chan struct{} // guarded by mu; closed when the time is over
	timer *time.Timer   // guarded by mu; nil: there is no deadline, or it is over
}

func (d *deadline) init() { d.ended = make(chan struct{}) }

// over returns what is closed when the time is over.
func (d *deadline) over() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

// set moves the deadline; the zero time is never.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.ended // it fired, and closes this before long
	}
	d.timer = nil
	over := false
	select {
	case <-d.ended:
		over = true
	default:
	}
	left := time.Until(t)
	switch ended := d.ended; {
	case !t.IsZero() && left <= 0:
		if !over {
			close(ended)
		}
		return
	case over:
		d.ended = make(chan struct{})
	}
	if !t.IsZero() {
		ended := d.ended
		d.timer = time.AfterFunc(left, func() { close(ended) })
	}
}
