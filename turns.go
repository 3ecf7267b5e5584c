package cachemesh

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// turns bounds the calls of a group's loader that run at once on this member,
// and those that wait for their turn. Loads that somebody waits for go before
// refreshes. A nil *turns bounds nothing.
type turns struct {
	max, room int // calls that run, and loads that wait for their turn

	mu      sync.Mutex // guards the fields below and those of places; taken inside a shard's lock
	running int
	waited  list.List // *place; those that somebody waits for
	idle    list.List // *place; the others
}

// A place is where a load stands for its turn. The zero value is fit for use, for
// one load. Its fields are guarded by turns.mu.
type place struct {
	queued  atomic.Bool // it waits for its turn; read without the lock
	waited  bool        // somebody waits for the load
	free    bool        // it needs no turn, for a loader that has one waits for it
	turn    bool        // it has a turn
	refused bool        // it has given way to a load that somebody waits for
	element *list.Element
	ready   chan struct{} // closed when it waits no longer
}

func newTurns(maxLoads, maxQueued int) *turns {
	if maxLoads == 0 {
		return nil
	}
	return &turns{max: maxLoads, room: maxQueued}
}

// take waits for a turn. Its errors match ErrOverloaded: too many wait already, or
// ctx ended first.
func (t *turns) take(ctx context.Context, p *place) error {
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

func (t *turns) full() error {
	return fmt.Errorf("%w: %d loads run and %d wait", errs.ErrOverloaded, t.max, t.room)
}

func (t *turns) tryTake(p *place) (enqueued bool, err error) {
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
		last.Value.(*place).refused = true
		t.dequeueLocked(last.Value.(*place))
	}
	p.ready = make(chan struct{})
	t.enqueueLocked(p)
	return true, nil
}

func (t *turns) enqueueLocked(p *place) {
	queue := &t.idle
	if p.waited {
		queue = &t.waited
	}
	p.element = queue.PushBack(p)
	p.queued.Store(true)
}

// dequeueLocked lets a place wait no longer.
func (t *turns) dequeueLocked(p *place) {
	queue := &t.idle
	if p.waited {
		queue = &t.waited
	}
	queue.Remove(p.element)
	p.element = nil
	p.queued.Store(false)
	close(p.ready)
}

// give ends a turn.
func (t *turns) give(p *place) {
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
	next.Value.(*place).turn = true
	t.dequeueLocked(next.Value.(*place))
}

// hurry notes that somebody waits for a load; if free is set, a loader that has a
// turn of the group. Loads that wait for each other's turns would wait for ever.
func (t *turns) hurry(p *place, free bool) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hurryLocked(p, free)
}

func (t *turns) hurryLocked(p *place, free bool) {
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

// carry hurries a batch as a load that it carries was hurried.
func (t *turns) carry(batch, p *place) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.waited {
		t.hurryLocked(batch, p.free)
	}
}

// hurry notes that one who came with ctx waits for a flight.
func (c *groupCore) hurry(ctx context.Context, f *flight) {
	if c.turn == nil {
		return
	}
	free := holdsTurn(ctx, c.name)
	c.turn.hurry(&f.place, free)
	if b := f.batch.Load(); b != nil {
		c.turn.hurry(&b.place, free)
	}
}

// heldTurns are the groups of which a loader that runs, or one that waits for it,
// has a turn. A context carries them.
type heldTurns struct {
	group string
	next  *heldTurns
}

type heldKey struct{}

func turnsHeld(ctx context.Context) *heldTurns {
	held, _ := ctx.Value(heldKey{}).(*heldTurns)
	return held
}

func holdsTurn(ctx context.Context, group string) bool {
	for held := turnsHeld(ctx); held != nil; held = held.next {
		if held.group == group {
			return true
		}
	}
	return false
}

// withTurn returns a context for a loader of the group.
func (c *groupCore) withTurn(ctx context.Context) context.Context {
	if c.turn == nil || holdsTurn(ctx, c.name) {
		return ctx
	}
	return context.WithValue(ctx, heldKey{}, &heldTurns{c.name, turnsHeld(ctx)})
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
