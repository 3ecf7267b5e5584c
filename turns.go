package cachemesh

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// turns bounds the calls of a group's loader that run at once on this member,
// and those that wait for their turn. A nil *turns bounds nothing.
type turns struct {
	running *semaphore.Weighted
	max     int
	waiting atomic.Int64
	room    int64 // for those who wait
}

func newTurns(maxLoads, maxQueued int) *turns {
	if maxLoads == 0 {
		return nil
	}
	return &turns{running: semaphore.NewWeighted(int64(maxLoads)), max: maxLoads, room: int64(maxQueued)}
}

// take waits for a turn; queued is set meanwhile. Its errors match ErrOverloaded: too many wait already,
// or ctx ended first.
func (t *turns) take(ctx context.Context, queued *atomic.Bool) error {
	if t == nil || t.running.TryAcquire(1) {
		return nil
	}
	if t.waiting.Add(1) > t.room {
		t.waiting.Add(-1)
		return fmt.Errorf("%w: %d loads run and %d wait", ErrOverloaded, t.max, t.room)
	}
	defer t.waiting.Add(-1)
	queued.Store(true)
	defer queued.Store(false)
	if err := t.running.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("%w: %d loads run, and none ended in time: %w", ErrOverloaded, t.max, err)
	}
	return nil
}

func (t *turns) give() {
	if t != nil {
		t.running.Release(1)
	}
}

const (
	lastCallShare = 8 // of the time that is left
	lastCallMost  = 20 * time.Millisecond
)

// lastCall returns a channel that is closed a little before ctx's deadline if
// loads may have to wait for their turn: it is time to say that they still do, or
// a peer that asked would hear nothing but that its time is up.
func (c *groupCore) lastCall(ctx context.Context) (<-chan struct{}, context.CancelFunc) {
	if c.turn == nil {
		return nil, func() {}
	}
	return shortlyBefore(ctx)
}

// shortlyBefore returns a channel that is closed a little before ctx's deadline,
// nil if it has none.
func shortlyBefore(ctx context.Context) (<-chan struct{}, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, func() {}
	}
	early, cancel := context.WithDeadline(ctx, deadline.Add(-lastCallMargin(time.Until(deadline))))
	return early.Done(), cancel
}

// lastCallMargin is how long before the end of the time that is left it is time to
// say something.
func lastCallMargin(left time.Duration) time.Duration { return min(left/lastCallShare, lastCallMost) }
