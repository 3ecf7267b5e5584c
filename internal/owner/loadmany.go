package owner

import (
	"context"
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// MaxLoadMany bounds the keys of one call.
const MaxLoadMany = wire.BatchKeys

// A loadBatch is one call of LoadMany and the flights that it carries. It
// gathers until it is started.
type loadBatch struct {
	core   *Part
	ctx    context.Context // ends after LoadTimeout, or when no flight waits
	cancel context.CancelFunc
	done   chan struct{} // closed once entries and err are set

	flights []*flight // that it carries; guarded by core.gathering until it is started
	started bool      // guarded by core.gathering

	waiting int          // flights that have not been called off; guarded by core.gathering
	place   origin.Place // in the queue for a turn to call LoadMany

	outcomes map[string]origin.Loaded // keys that are missing do not exist, unless err
	err      error
}

// newBatch returns a batch whose context has the values of ctx.
func (c *Part) newBatch(ctx context.Context) *loadBatch {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.LoadTimeout)
	stop := context.AfterFunc(c.Loading, cancel)
	return &loadBatch{core: c, ctx: ctx, cancel: func() { stop(); cancel() }, done: make(chan struct{})}
}

// batchFor enrols a flight that begins: in the batch given, else in the group's
// gathering one if single loads gather. Else it is loaded on its own.
func (c *Part) batchFor(f *flight, b *loadBatch) {
	if c.Origin.LoadMany == nil || b == nil && c.BatchWindow == 0 {
		return
	}
	c.gathering.Lock()
	defer c.gathering.Unlock()
	if b == nil {
		if b = c.gather; b == nil {
			b = c.newBatch(f.values)
			c.gather = b
			time.AfterFunc(c.BatchWindow, b.start)
		}
	}
	f.batch.Store(b)
	b.flights = append(b.flights, f)
	b.waiting++
	c.Origin.Turn.Carry(&b.place, &f.place)
	if b == c.gather && len(b.flights) == MaxLoadMany {
		b.startLocked()
	}
}

// start calls LoadMany for what has gathered, once.
func (b *loadBatch) start() {
	b.core.gathering.Lock()
	defer b.core.gathering.Unlock()
	b.startLocked()
}

func (b *loadBatch) startLocked() {
	if b.started {
		return
	}
	b.started = true
	if b.core.gather == b {
		b.core.gather = nil
	}
	if len(b.flights) == 0 {
		b.cancel()
		return
	}
	go b.load()
}

// load is waited for by the flights that the batch carries.
func (b *loadBatch) load() {
	defer b.cancel()
	defer close(b.done)
	c := b.core
	if b.err = b.ctx.Err(); b.err != nil { // nobody waits any more
		b.returned()
		return
	}
	keys := make([]string, len(b.flights))
	for i, f := range b.flights {
		keys[i] = f.key
	}
	b.outcomes, b.err = c.Origin.CallLoadMany(b.ctx, keys, &b.place, b.returned)
}

// returned notes for all flights that LoadMany has returned.
func (b *loadBatch) returned() {
	for _, f := range b.flights {
		b.core.returned(f)
	}
}

// wait returns the outcome for one flight. If it is called off, the batch goes on
// as long as another is not.
func (b *loadBatch) wait(f *flight) (*store.Entry, error) {
	select {
	case <-b.done:
	case <-f.ctx.Done():
		if b.leave(f) {
			b.core.returned(f)
		}
		return nil, b.core.Origin.LoadError(f.key, f.ctx.Err())
	}
	if out, ok := b.outcomes[f.key]; ok {
		if out.Err != nil && !guard.IsAbsence(out.Err) {
			return nil, b.core.Origin.LoadError(f.key, out.Err)
		}
		return out.Entry, out.Err
	}
	if b.err != nil && !guard.IsAbsence(b.err) {
		return nil, b.core.Origin.LoadError(f.key, b.err)
	}
	return nil, errs.ErrNotFound
}

// leave notes that a flight was called off. When none is left the batch is too,
// and nobody joins it any more. It reports whether LoadMany will not be called for
// the flight.
func (b *loadBatch) leave(f *flight) (spared bool) {
	b.core.gathering.Lock()
	defer b.core.gathering.Unlock()
	if !b.started {
		b.flights = slices.DeleteFunc(b.flights, func(other *flight) bool { return other == f })
		spared = true
	}
	if b.waiting--; b.waiting > 0 {
		return spared
	}
	b.cancel()
	b.started = true
	if b.core.gather == b {
		b.core.gather = nil
	}
	return spared
}

// LoadBatched loads keys that this node owns with one call of LoadMany, sharing
// the flights of those that are being loaded already. It hands each outcome to
// put, and returns the keys that must be tried singly.
func (c *Part) LoadBatched(ctx context.Context, keys []string, put func(key string, e *store.Entry, err error)) (rest []string) {
	b := c.newBatch(ctx)
	var flights []*flight
	var list Due
	for _, key := range keys {
		e, f, err := c.joinFlight(ctx, ring.Hash(c.Seed, key), key, joining{into: b, due: &list})
		switch {
		case f != nil:
			flights = append(flights, f)
		case e != nil:
			put(key, e, err)
		case errs.IsUnsettled(err):
			rest = append(rest, key)
		default:
			put(key, nil, err)
		}
	}
	b.start()
	c.RefreshAll(&list)
	last, cancel := c.Origin.LastCall(ctx)
	defer cancel()
	for _, f := range flights {
		e, _, err := c.await(ctx, last, f)
		if err == errVoid || e == nil && errs.IsUnsettled(err) {
			rest = append(rest, f.key)
			continue
		}
		put(f.key, e, err)
	}
	return rest
}
