package origin

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// Turns bound the calls of a group's loader that run at once on this member,
// and those that wait for their turn. Loads that somebody waits for go before
// refreshes. A nil *Turns bound nothing.
type Turns struct {
	max, room int // calls that run, and loads that wait for their turn

	mu      sync.Mutex // guards the fields below and those of places; taken inside a shard's lock
	running int
	waited  list.List // *place; those that somebody waits for
	idle    list.List // *place; the others
}

// A Place is where a load stands for its turn. The zero value is fit for use, for
// one load. Its fields are guarded by Turns.mu.
type Place struct {
	Queued  atomic.Bool // it waits for its turn; read without the lock
	waited  bool        // somebody waits for the load
	free    bool        // it needs no turn, for a loader that has one waits for it
	turn    bool        // it has a turn
	refused bool        // it has given way to a load that somebody waits for
	element *list.Element
	ready   chan struct{} // closed when it waits no longer
}

// NewTurns returns turns for maxLoads calls and maxQueued that wait, nil if any number may run.
func NewTurns(maxLoads, maxQueued int) *Turns {
	if maxLoads == 0 {
		return nil
	}
	return &Turns{max: maxLoads, room: maxQueued}
}

// take waits for a turn. Its errors match ErrOverloaded: too many wait already, or
// ctx ended first.
func (t *Turns) take(ctx context.Context, p *Place) error {
	if t == nil {
		return nil
	}
	if enqueued, err := t.tryTake(p); !enqueued {
		return err
	}
	select {
	case <-p.ready:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case p.refused:
		return t.full()
	case p.element != nil:
		t.dequeueLocked(p)
		return fmt.Errorf("%w: %d loads run, and none ended in time: %w", errs.ErrOverloaded, t.max, ctx.Err())
	}
	return nil
}

func (t *Turns) full() error {
	return fmt.Errorf("%w: %d loads run and %d wait", errs.ErrOverloaded, t.max, t.room)
}

func (t *Turns) tryTake(p *Place) (enqueued bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case p.free:
		return false, nil
	case t.running < t.max:
		t.running++
		p.turn = true
		return false, nil
	case t.waited.Len()+t.idle.Len() >= t.room:
		last := t.idle.Back()
		if last == nil || !p.waited {
			return false, t.full()
		}
		last.Value.(*Place).refused = true
		t.dequeueLocked(last.Value.(*Place))
	}
	p.ready = make(chan struct{})
	t.enqueueLocked(p)
	return true, nil
}

func (t *Turns) enqueueLocked(p *Place) {
	queue := &t.idle
	if p.waited {
		queue = &t.waited
	}
	p.element = queue.PushBack(p)
	p.Queued.Store(true)
}

// dequeueLocked lets a place wait no longer.
func (t *Turns) dequeueLocked(p *Place) {
	queue := &t.idle
	if p.waited {
		queue = &t.waited
	}
	queue.Remove(p.element)
	p.element = nil
	p.Queued.Store(false)
	close(p.ready)
}

// give ends a turn.
func (t *Turns) give(p *Place) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !p.turn {
		return
	}
	next := t.waited.Front()
	if next == nil {
		next = t.idle.Front()
	}
	if next == nil {
		t.running--
		return
	}
	next.Value.(*Place).turn = true
	t.dequeueLocked(next.Value.(*Place))
}

// hurry notes that somebody waits for a load; if free is set, a loader that has a
// turn of the group. Loads that wait for each other's turns would wait for ever.
func (t *Turns) hurry(p *Place, free bool) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hurryLocked(p, free)
}

func (t *Turns) hurryLocked(p *Place, free bool) {
	p.free = p.free || free
	switch {
	case p.element == nil:
		p.waited = true
	case p.free:
		t.dequeueLocked(p)
	case !p.waited:
		t.idle.Remove(p.element)
		p.waited = true
		p.element = t.waited.PushBack(p)
	}
}

// Carry hurries a batch as a load that it carries was hurried.
func (t *Turns) Carry(batch, p *Place) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.waited {
		t.hurryLocked(batch, p.free)
	}
}

// HeldTurns are the groups of which a loader that runs, or one that waits for it,
// has a turn. A context carries them.
type HeldTurns struct {
	Group string
	Next  *HeldTurns
}

type heldKey struct{}

// Held returns the groups of which a loader that waits for what is done with ctx has a turn, nil for none.
func Held(ctx context.Context) *HeldTurns {
	held, _ := ctx.Value(heldKey{}).(*HeldTurns)
	return held
}

// WithHeld returns a context for what a loader that has these turns waits for.
func WithHeld(ctx context.Context, held *HeldTurns) context.Context {
	return context.WithValue(ctx, heldKey{}, held)
}

// HoldsTurn reports whether a loader that waits for what is done with ctx has a turn of the group.
func HoldsTurn(ctx context.Context, group string) bool {
	for held := Held(ctx); held != nil; held = held.Next {
		if held.Group == group {
			return true
		}
	}
	return false
}

const (
	lastCallShare = 8 // of the time that is left
	lastCallMost  = 20 * time.Millisecond
)

// ShortlyBefore returns a channel that is closed a little before ctx's deadline,
// nil if it has none.
func ShortlyBefore(ctx context.Context) (<-chan struct{}, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, func() {}
	}
	early, cancel := context.WithDeadline(ctx, deadline.Add(-Margin(time.Until(deadline))))
	return early.Done(), cancel
}

// Margin is how long before the end of the time that is left it is time to
// say something.
func Margin(left time.Duration) time.Duration { return min(left/lastCallShare, lastCallMost) }
