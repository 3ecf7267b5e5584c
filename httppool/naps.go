package httppool

import (
	"sync/atomic"
	"time"
)

// watching is when the watch goroutine looks. While nobody waits for a peer it has time:
// it is drowsy, and whoever begins to wait rouses it.
type watching struct {
	every, idle time.Duration // between looks: while somebody waits, and while nobody does
	timer       *time.Timer
	drowsy      atomic.Bool
	roused      atomic.Bool // since the last look

	// Of the watch goroutine.
	looks int // so far
	last  time.Time
	step  time.Duration // for which who waits is taken to have waited at this look
}

func (w *watching) start(cfg *Config) {
	w.every, w.idle = cfg.watchEvery(), cfg.watchIdle()
	w.timer = time.NewTimer(w.every)
}

// look notes that this is a look, and how long it is since the last for who waits: time in which
// this process did not run counts little, and that in which nobody waited not at all.
func (w *watching) look(now time.Time) {
	w.step = min(now.Sub(w.last), 2*w.every)
	if w.drowsy.Swap(false) || w.roused.Swap(false) {
		w.step = w.every
	}
	w.last = now
	w.looks++
}

// next sets the timer for the next look, by whether anybody waits for a peer.
func (w *watching) next(awaited func() bool) {
	if awaited() {
		w.timer.Reset(w.every)
		return
	}
	w.timer.Reset(w.idle)
	w.drowsy.Store(true)
	if awaited() { // it began before the goroutine was drowsy
		w.rouse()
	}
}

// rouse has the connections looked at soon. Whoever waits for a peer calls it when that is to be seen.
func (w *watching) rouse() {
	if w.drowsy.Load() && w.drowsy.CompareAndSwap(true, false) {
		w.roused.Store(true)
		w.timer.Reset(w.every)
	}
}
