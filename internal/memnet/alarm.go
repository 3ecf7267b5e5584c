package memnet

import "time"

// An alarm is a time at which those who wait must look again. Its timer exists
// only once somebody waits. It is guarded by the lock of what it belongs to.
type alarm struct {
	at    time.Time // zero: never
	timer *time.Timer
}

func (a *alarm) set(at time.Time) { a.at = at }

// expired reports whether the time has come.
func (a *alarm) expired() bool { return !a.at.IsZero() && !time.Now().Before(a.at) }

// arm sets the timer. A timer that fires for a time that is not valid any more
// does no harm: those who wait look again. An alarm always has the same wake.
func (a *alarm) arm(wake func()) {
	if a.at.IsZero() {
		return
	}
	wait := max(0, time.Until(a.at))
	if a.timer == nil {
		a.timer = time.AfterFunc(wait, wake)
	} else {
		a.timer.Reset(wait)
	}
}

// stop ends the alarm.
func (a *alarm) stop() {
	a.at = time.Time{}
	if a.timer != nil {
		a.timer.Stop()
	}
}
