package settle

import (
	"sync"
	"time"
)

// question tells questions apart: a member has at most one of a view.
type question struct {
	id   string
	view uint64
}

const (
	fenceRetryMin = 10 * time.Millisecond
	lagRetryMin   = 40 * time.Millisecond // before who lags is asked again, at first: mostly it tells of itself
	fenceRetryMax = 250 * time.Millisecond
	fenceCalls    = 64 // questions at once
	perRight      = 4  // questions while a right lasts
)

// asks are the questions under way.
type asks struct {
	kick chan struct{} // one slot: there is something to do
	seat chan struct{} // one per question under way

	mu    sync.Mutex        // guards under
	under map[question]bool // questions under way; true: another is to follow
}

func newAsks() *asks {
	return &asks{kick: make(chan struct{}, 1), seat: make(chan struct{}, fenceCalls), under: make(map[question]bool)}
}

// poke says that there is something to do.
func (a *asks) poke() {
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

// begin reports whether a question may be asked: it is not under way. Then again or end must
// be called. One that is under way, which may not tell what is new, is followed by another.
func (a *asks) begin(q question) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, under := a.under[q]
	a.under[q] = under
	return !under
}

// again ends a question. It reports whether another is to follow, which is under way then.
func (a *asks) again(q question) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.under[q] {
		a.under[q] = false
		return true
	}
	delete(a.under, q)
	return false
}

// end says that a question is under way no more, and none is to follow.
func (a *asks) end(q question) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.under, q)
}
