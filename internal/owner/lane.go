package owner

import (
	"fmt"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// A lane is what is loaded, or waits to be, for one key. One load may be joined.
// When a write voids it, or nobody waits for it any more, and it still runs, one
// more may begin, which serves all who came since. Whoever comes after that one was
// voided too waits and gathers; when one of the two ends the next begins. So
// everyone is answered by the first load that began after they came, or by one
// that no write came after, and at most two run at once.
//
// A load runs until the loader returns, heeding its context or not. One whose
// deadline passes before that is stuck: it does not hold up others any more, and
// counts against maxLoading. Loads whose value is not stored, one at a time (see
// cohort), count too.
type lane struct {
	current *flight // runs, and may be joined; nil: none
	next    *flight // waits to begin; nil: none. Never beside current
	running int     // loads that run
	stuck   int     // loads whose deadline passed before they returned
}

const (
	maxRunning = 2 // loads of a key that run at once
	maxLoading = 8 // loads of a key that have not returned, stuck ones included
)

var errStuck = fmt.Errorf("%w: %d loads of the key have not returned, though their time is over", errs.ErrOverloaded, maxLoading)

// joinable returns the flight that whoever comes now joins, nil if there is none.
func (l *lane) joinable() *flight {
	if l.current != nil {
		return l.current
	}
	return l.next
}

// isFull reports whether no load may begin now.
func (l *lane) isFull() bool { return l.running >= maxRunning || l.running+l.stuck >= maxLoading }

// countLocked counts a load that begins, unless too many have not returned.
func (l *lane) countLocked(f *flight) bool {
	if l.running+l.stuck >= maxLoading {
		return false
	}
	l.running++
	f.state = flightRuns
	return true
}

// giveUpLocked gives up a load that runs. It reports false if it does not.
func (l *lane) giveUpLocked(f *flight) bool {
	if f.state != flightRuns {
		return false
	}
	f.state = flightStuck
	l.running--
	l.stuck++
	return true
}

// landLocked notes that a flight's loader has returned, or never will be called. It reports
// false if that is known.
func (l *lane) landLocked(f *flight) bool {
	switch f.state {
	case flightRuns:
		l.running--
	case flightStuck:
		l.stuck--
	default:
		return false
	}
	f.state = flightLanded
	if f.timer != nil {
		f.timer.Stop()
	}
	return true
}

// lanes are those of a shard, by key. Guarded by its lock.
type lanes map[string]*lane

// of returns the lane of a key, made if there is none. Who leaves it empty closes it.
func (m lanes) of(key string) *lane {
	l := m[key]
	if l == nil {
		l = &lane{}
		m[key] = l
	}
	return l
}

// close removes a lane in which nothing stands.
func (m lanes) close(key string, l *lane) {
	if *l == (lane{}) && m[key] == l {
		delete(m, key)
	}
}

// unlink makes sure that nobody joins the flight any more.
func (m lanes) unlink(f *flight) {
	if l := m[f.key]; l != nil && l.current == f {
		l.current = nil
	}
}

// dropNext removes a flight that waits to begin.
func (m lanes) dropNext(f *flight) {
	if l := m[f.key]; l != nil && l.next == f {
		l.next = nil
		f.state = flightLanded
		m.close(f.key, l)
	}
}
