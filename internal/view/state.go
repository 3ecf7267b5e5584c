package view

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/life"
)

// A Phase is by what right a node answers.
type Phase uint32

const (
	ByMajority Phase = iota // as a member of the majority, by all that it holds
	AsHalf                  // as half of a mesh of two, by what it loads
	AsMinority              // by what it loads; writes hold on this side only
)

// TraceFor is how long a Delete in a group without a loader is remembered
// while a member is missing, and how long after it was forgotten Deletes still
// are.
const TraceFor = time.Hour

// A State is what a node believes now, and what it may do. Its methods are called
// concurrently, and none waits but Current.
type State struct {
	life     *life.Life
	clock    *clock.Clock
	maxStale time.Duration

	// view is nil before the node serves and after it closed. It is replaced as a whole.
	view atomic.Pointer[View]

	// confirmed is when, on the node's clock, the right to serve what is held lapses.
	confirmed atomic.Int64

	era     atomic.Uint32 // entries note the era in which they were stored; it grows when what is held must go
	phase   atomic.Uint32 // a Phase
	primary atomic.Uint32 // number of the primary by which the node last acted
	tracing atomic.Bool   // see Tracing
}

// NewState returns the state of a node that has no view yet, and who may change it. Values of
// one without a majority live for maxStale.
func NewState(l *life.Life, c *clock.Clock, maxStale time.Duration) (*State, Writer) {
	s := &State{life: l, clock: c, maxStale: maxStale}
	return s, Writer{s}
}

// View returns the node's view, nil before it serves and after it closed. Whoever loads it
// once acts on one consistent picture.
func (s *State) View() *View { return s.view.Load() }

// Current returns the node's view. While the start is under way it waits for its end.
// Errors: ErrNotStarted, ErrClosed, ctx's own.
func (s *State) Current(ctx context.Context) (*View, error) {
	if v := s.view.Load(); v != nil {
		return v, nil
	}
	if s.life.IsNew() {
		return nil, errs.ErrNotStarted
	}
	select {
	case <-s.life.Closing():
		return nil, errs.ErrClosed
	case <-s.life.Serving():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if v := s.view.Load(); v != nil {
		return v, nil
	}
	return nil, errs.ErrClosed
}

// MayServe returns nil if this node may answer for a key from what it holds at the time
// now, and may change it; else ErrNotOwner, ErrUnsettled or ErrClosed.
func (s *State) MayServe(hash uint64, now int64) error {
	v := s.view.Load()
	if v == nil {
		return errs.ErrClosed
	}
	switch standing := v.Standing(hash); {
	case s.Serves(standing, now):
		return nil
	case standing == Foreign:
		return errs.ErrNotOwner
	}
	return errs.ErrUnsettled
}

// Serves is MayServe by what this node is to a key in its view.
func (s *State) Serves(standing Standing, now int64) bool {
	return standing == OwnsIt && now < s.confirmed.Load()
}

// ActsBy reports whether the node acts by a view, whose id is given, and that has settled.
func (s *State) ActsBy(id uint64) bool {
	v := s.view.Load()
	return v != nil && v.ID == id && v.settled.Load()
}

// Confirmed returns until when, on the node's clock, it may serve what it holds.
func (s *State) Confirmed() int64 { return s.confirmed.Load() }

// Era returns the era in which what is stored now is stored. Whoever stores reads it before
// it looks whether it may: what is held gets a limit, or must go, when an era ends.
func (s *State) Era() uint32 { return s.era.Load() }

// Phase returns by what right the node answers.
func (s *State) Phase() Phase { return Phase(s.phase.Load()) }

// Limited reports whether the node answers without a majority.
func (s *State) Limited() bool { return s.Phase() != ByMajority }

// Primary returns the number of the primary by which the node last acted.
func (s *State) Primary() uint32 { return s.primary.Load() }

// Tracing reports whether a member is missing, or was and may be back yet: a Delete of
// what cannot be loaded leaves a trace.
func (s *State) Tracing() bool { return s.tracing.Load() }

// Limit returns when a value ends that would end at expires, 0 for never, and that was
// read from the origin, or written, at the time began: while the node has no majority,
// that may write it unseen.
func (s *State) Limit(expires, began int64) int64 {
	if !s.Limited() {
		return expires
	}
	if limit := began + int64(s.maxStale); expires == 0 || expires > limit {
		return limit
	}
	return expires
}

// WhileEntitled calls end when the node's right to act ends, unless stop was called
// before. It looks every so often.
func (s *State) WhileEntitled(every time.Duration, end func()) (stop func()) {
	var timer atomic.Pointer[time.Timer]
	var stopped atomic.Bool
	var watch func()
	watch = func() {
		left := time.Duration(s.confirmed.Load() - s.clock.Now())
		switch {
		case stopped.Load():
		case left <= 0:
			end()
		default:
			timer.Store(time.AfterFunc(min(left, every), watch))
		}
	}
	watch()
	return func() {
		stopped.Store(true)
		if t := timer.Load(); t != nil {
			t.Stop()
		}
	}
}

// A Writer changes a State. There is one that does, at a time.
type Writer struct{ s *State }

// Publish makes a view the node's own, nil when it closes.
func (w Writer) Publish(v *View) { w.s.view.Store(v) }

// Confirm says until when the node may serve what it holds.
func (w Writer) Confirm(until int64) { w.s.confirmed.Store(until) }

// NewEra ends an era: nothing that is being loaded is stored.
func (w Writer) NewEra() { w.s.era.Add(1) }

// Act says by what right the node answers.
func (w Writer) Act(p Phase) { w.s.phase.Store(uint32(p)) }

// ActBy says by which primary the node acts.
func (w Writer) ActBy(primary uint32) { w.s.primary.Store(primary) }

// Trace says whether Deletes leave traces.
func (w Writer) Trace(is bool) { w.s.tracing.Store(is) }

// Settle says that every member of a view acknowledged it.
func (w Writer) Settle(v *View) { v.settled.Store(true) }

// Empty says that others went on without this node: its view is not settled, and what it
// owned before proves nothing.
func (w Writer) Empty(v *View) {
	v.emptied.Store(true)
	v.settled.Store(false)
}
