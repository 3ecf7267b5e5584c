package owner

import (
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Conditional is a condition of a Change, and what comes of it. It is one call's.
type Conditional struct {
	wire.Condition
	Encoding wire.Encoding // that whoever asks can read
	TTL      time.Duration // of a value that Touch or Add makes
	Answered bool          // what is wanted back has to fit an answer to a peer

	// Got is set when the change returns nil.
	Got Got

	known bool          // row is what the origin had, read while the key was reserved
	row   *store.Entry  // nil: nothing
	view  *view.View    // by which the key was reserved
	seen  store.Version // of the value for which the condition was met; zero: nothing
	sum   sum           // of Add

	ttl    int64 // when what is set expires by its own TTL, which KeepTTL replaces
	hasTTL bool  // ttl is known
}

// A sum is what Add makes of a value. The user's codec has a part in that, so it is made
// without the shard's lock, and what it was made of is compared under it.
type sum struct {
	wanted bool // and not made
	made   bool
	of, is *store.Entry // of nil: 0
	err    error
}

// isOf reports whether it is the sum of what a key has.
func (s *sum) isOf(old *store.Entry) bool {
	switch {
	case !s.made || (s.of == nil) != (old == nil):
		return false
	case s.of == old:
		return true
	}
	return s.of.Version == old.Version && old.Version != store.Version{}
}

// Got is what came of a change on a condition.
type Got struct {
	Met     bool          // it was made
	Entry   *store.Entry  // what is wanted back, nil for nothing: the value before, or after Add
	Version store.Version // of what the key has now; zero: nothing
}

// errNoNumber says that Add is of no use here.
var errNoNumber = fmt.Errorf("%w: nor is any of the group's, on this member", errs.ErrNotInteger)

// errTooLargeToSend says that the value before does not fit an answer.
var errTooLargeToSend = &errs.RemoteError{Text: "the value before is larger than members send each other: see Options.MaxValueBytes", Known: errs.ErrTooLarge}

// decision is what a condition comes to.
type decision uint8

const (
	goesAhead decision = iota
	isNotMet
	mustLoad // nothing is here, and the origin may have something
	mustAdd  // what is here, and the sum is not made: see addUp
)

// wantsSum reports whether it was found that the sum is not made.
func (cond *Conditional) wantsSum() bool { return cond.sum.wanted }

// begin forgets what a try that failed has learnt: the key may have been another member's
// since.
func (cond *Conditional) begin() {
	if cond != nil {
		cond.known, cond.row, cond.view, cond.sum = false, nil, nil, sum{}
	}
}

// isNone reports whether it goes ahead whatever the key has.
func (cond *Conditional) isNone() bool {
	return cond == nil || cond.If == wire.Always && !cond.Former && !cond.KeepTTL && !cond.Touch && !cond.Add
}

func (cond *Conditional) isMetBy(old *store.Entry) bool {
	switch {
	case cond.Touch && old == nil:
		return false
	case cond.If == wire.IfAbsent:
		return old == nil
	case cond.If == wire.IfPresent:
		return old != nil
	case cond.If == wire.IfVersion:
		return old != nil && old.Version == cond.Version && !cond.OnlyLooks()
	}
	return true
}

// recallsNobody reports whether the copies that others hold may stay: the value does, and
// lives longer.
func (cond *Conditional) recallsNobody(e *store.Entry) bool {
	if cond == nil || !cond.Touch || cond.Got.Entry == nil {
		return false
	}
	before := FreshUntil(cond.Got.Entry)
	return before != 0 && (e.Expires == 0 || e.Expires >= before)
}

// noteMade notes what a change has stored, nil for nothing.
func (cond *Conditional) noteMade(e *store.Entry) {
	if cond == nil {
		return
	}
	cond.Got.Met, cond.Got.Version = true, store.Version{}
	if e != nil && !e.Negative {
		cond.Got.Version = e.Version
	}
	if cond.Add {
		cond.Got.Entry = cond.sum.is
	}
}

// errMoved says that the key may have been another member's while it was reserved.
var errMoved = errs.ErrUnsettled
