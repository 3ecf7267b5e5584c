package view

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/life"
)

const maxStale = 10 * time.Second

func newState() (*State, Writer, *life.Life, *clock.Clock) {
	l, c := life.New(), new(clock.Clock)
	c.Start()
	s, w := NewState(l, c, maxStale)
	return s, w, l, c
}

// What waits for the view gets it when the start has ended, and an error if it cannot.
func TestCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, l, _ := newState()
		current := func(ctx context.Context) error { _, err := s.Current(ctx); return err }
		equal(t, "not started", current(context.Background()), errs.ErrNotStarted)
		if err := l.Start(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		wait := func(ctx context.Context) {
			go func() { done <- current(ctx) }()
			synctest.Wait()
			equal(t, "it waits", len(done), 0)
		}
		wait(ctx)
		cancel()
		equal(t, "called off", <-done, context.Canceled)
		wait(context.Background())
		v := viewOf(nil, "a")
		w.Publish(v)
		equal(t, "a view before the start has ended", current(context.Background()), error(nil))
		l.Serve()
		equal(t, "it serves", <-done, error(nil))
		got, err := s.Current(context.Background())
		equal(t, "the view", []any{got, s.View(), err}, []any{v, v, error(nil)})
		w.Publish(nil)
		equal(t, "between the end and closing", current(context.Background()), errs.ErrClosed)
	})
	synctest.Test(t, func(t *testing.T) {
		s, _, l, _ := newState()
		_ = l.Start()
		done := make(chan error, 1)
		go func() { _, err := s.Current(context.Background()); done <- err }()
		synctest.Wait()
		l.Close()
		equal(t, "closed while it waits", <-done, errs.ErrClosed)
	})
}

// A key is served by its owner alone, once it is its own, and while its right lasts.
func TestMayServe(t *testing.T) {
	s, w, _, _ := newState()
	equal(t, "without a view", []any{s.MayServe(5, 0), s.ActsBy(0)}, []any{errs.ErrClosed, false})
	v := viewOf(nil, "a b")
	ours, theirs := key(t, "a", v), key(t, "b", v)
	w.Publish(v)
	w.Confirm(100)
	equal(t, "gaining", []any{s.MayServe(ours, 50), s.ActsBy(v.ID)}, []any{errs.ErrUnsettled, false})
	w.Settle(v)
	equal(t, "settled", []any{s.ActsBy(v.ID), s.ActsBy(v.ID + 1)}, []any{true, false})
	equal(t, "another's", s.MayServe(theirs, 50), errs.ErrNotOwner)
	equal(t, "ours", s.MayServe(ours, 99), error(nil))
	equal(t, "the right has ended", []any{s.MayServe(ours, 100), s.Confirmed()}, []any{errs.ErrUnsettled, int64(100)})
}

// What is loaded without a majority ends after MaxStale, or before.
func TestLimit(t *testing.T) {
	s, w, _, _ := newState()
	limit := int64(100) + int64(maxStale)
	for _, x := range []struct{ expires, majority, minority int64 }{
		{0, 0, limit}, {limit - 1, limit - 1, limit - 1}, {limit, limit, limit}, {limit + 1, limit + 1, limit},
	} {
		w.Act(ByMajority)
		equal(t, "by majority", []any{s.Limit(x.expires, 100), s.Limited(), s.Phase()}, []any{x.majority, false, ByMajority})
		for _, p := range []Phase{AsHalf, AsMinority} {
			w.Act(p)
			equal(t, "without", []any{s.Limit(x.expires, 100), s.Limited(), s.Phase()}, []any{x.minority, true, p})
		}
	}
	w.NewEra()
	w.NewEra()
	w.ActBy(7)
	w.Trace(true)
	equal(t, "what is so", []any{s.Era(), s.Primary(), s.Tracing()}, []any{uint32(2), uint32(7), true})
	w.Trace(false)
	equal(t, "and not", s.Tracing(), false)
}

// Whoever may act only while the right lasts is told when it has ended, within the time between
// looks, unless it has stopped.
func TestWhileEntitled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, _, c := newState()
		start := time.Now()
		var told atomic.Int64 // when end was called, after start
		end := func() { told.Store(int64(time.Since(start))) }
		s.WhileEntitled(time.Second, end)()
		equal(t, "without a right", time.Duration(told.Load()), time.Duration(0))

		told.Store(-1)
		w.Confirm(c.Now() + int64(2500*time.Millisecond))
		defer s.WhileEntitled(time.Second, end)()
		time.Sleep(1500 * time.Millisecond)
		w.Confirm(c.Now() + int64(2600*time.Millisecond)) // it goes on
		time.Sleep(10 * time.Second)
		equal(t, "when the right ended", time.Duration(told.Load()), 4100*time.Millisecond)

		start = time.Now()
		told.Store(-1)
		w.Confirm(c.Now() + int64(5*time.Second))
		defer s.WhileEntitled(time.Second, end)()
		time.Sleep(500 * time.Millisecond)
		w.Confirm(0) // it is taken away
		time.Sleep(10 * time.Second)
		equal(t, "at the next look", time.Duration(told.Load()), time.Second)

		told.Store(-1)
		w.Confirm(c.Now() + int64(5*time.Second))
		stop := s.WhileEntitled(time.Second, end)
		time.Sleep(1500 * time.Millisecond)
		stop()
		time.Sleep(10 * time.Second)
		equal(t, "stopped", time.Duration(told.Load()), time.Duration(-1))
	})
}
