package cachemesh

import (
	"context"
	"fmt"
	"sync/atomic"

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
