package owner

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// MaxLoadMany bounds the keys of one call.
const MaxLoadMany = wire.BatchKeys

// newBatch returns a batch whose context has the values of ctx.
func (c *loads) newBatch(ctx context.Context) *loadBatch {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.LoadTimeout)
	stop := context.AfterFunc(c.Loading, cancel)
	return &loadBatch{ctx: ctx, cancel: func() { stop(); cancel() }, done: make(chan struct{})}
}

// enrol enrols a flight that begins: in the batch given, else in the group's
// gathering one if single loads gather. Else it is loaded on its own.
func (c *loads) enrol(f *flight, b *loadBatch) {
	if c.Origin.LoadMany == nil || b == nil && c.BatchWindow == 0 {
		return
	}
	g := &c.gather
	g.mu.Lock()
	defer g.mu.Unlock()
	if b == nil {
		if b = g.open; b == nil {
			b = c.newBatch(f.values)
			g.open = b
			time.AfterFunc(c.BatchWindow, func() { c.startBatch(b) })
		}
	}
	f.batch.Store(b)
	b.flights = append(b.flights, f)
	b.waiting++
	c.Origin.Turn.Carry(&b.place, &f.place)
	if b == g.open && len(b.flights) == MaxLoadMany && g.startLocked(b) {
		go c.callBatch(b)
	}
}

// startBatch calls LoadMany for what has gathered, once.
func (c *loads) startBatch(b *loadBatch) {
	if c.gather.start(b) {
		go c.callBatch(b)
	}
}

// callBatch is waited for by the flights that the batch carries.
func (c *loads) callBatch(b *loadBatch) {
	defer b.cancel()
	defer close(b.done)
	returned := func() {
		for _, f := range b.flights {
			c.returned(f)
		}
	}
	if b.err = b.ctx.Err(); b.err != nil { // nobody waits any more
		returned()
		return
	}
	keys := make([]string, len(b.flights))
	for i, f := range b.flights {
		keys[i] = f.key
	}
	b.outcomes, b.err = c.Origin.CallLoadMany(b.ctx, keys, &b.place, returned)
}

// awaitBatch waits for the outcome of one flight. If it is called off, the batch goes on
// as long as another is not.
func (c *loads) awaitBatch(b *loadBatch, f *flight) (*store.Entry, error) {
	select {
	case <-b.done:
	case <-f.ctx.Done():
		if c.gather.leave(b, f) {
			c.returned(f)
		}
		return nil, c.Origin.LoadError(f.key, f.ctx.Err())
	}
	if out, ok := b.outcomes[f.key]; ok {
		if out.Err != nil && !guard.IsAbsence(out.Err) {
			return nil, c.Origin.LoadError(f.key, out.Err)
		}
		return out.Entry, out.Err
	}
	if b.err != nil && !guard.IsAbsence(b.err) {
		return nil, c.Origin.LoadError(f.key, b.err)
	}
	return nil, errs.ErrNotFound
}
