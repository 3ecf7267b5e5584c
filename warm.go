package cachemesh

import (
	"context"
	"errors"
	"iter"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
)

const (
	warmBatch = 256 // keys in one step
	warmSteps = 4   // steps at once
)

// Warm loads keys into the memory of their owners, a bounded number at once,
// and reports its progress: how many keys are loaded or do not exist, and how
// many failed. progress may be nil; it is called from one goroutine at a time.
// Warm returns ctx's error if it ended first, else nil.
//
// Without LoadMany up to 256 loads run at once on each owner; GroupOptions.MaxLoads
// bounds that.
func (g *Group[V]) Warm(ctx context.Context, keys iter.Seq[string], progress func(done, failed int)) error {
	if progress == nil {
		progress = func(int, int) {}
	}
	c := g.core
	outcomes := make(chan [2]int, warmSteps)
	underWay, done, failed := 0, 0, 0
	await := func() {
		o := <-outcomes
		underWay--
		done, failed = done+o[0], failed+o[1]
		progress(done, failed)
	}
	step := make([]string, 0, warmBatch)
	send := func() {
		if underWay == warmSteps {
			await()
		}
		underWay++
		batch := step
		step = make([]string, 0, warmBatch)
		go func() { outcomes <- c.Warm(ctx, batch) }()
	}
	for key := range keys {
		if ctx.Err() != nil {
			break
		}
		if step = append(step, key); len(step) == warmBatch {
			send()
		}
	}
	if len(step) > 0 {
		send()
	}
	for underWay > 0 {
		await()
	}
	return ctx.Err()
}

// Peek returns the value of a key if it is in the memory of this member or of
// its owner; it never loads. Errors: ErrNotFound if it is in neither; else as
// Get's.
func (g *Group[V]) Peek(ctx context.Context, key string) (V, error) {
	o := g.core.Peek(ctx, key)
	v, err := g.answer(&o)
	if errs.IsUnreadable(err) {
		g.core.NoteUnreadable(key, err)
		err = errs.ErrNotFound
	}
	return v, err
}

// Contains reports whether Peek would return a value. Errors: as Peek's, but for
// ErrNotFound.
func (g *Group[V]) Contains(ctx context.Context, key string) (bool, error) {
	_, err := g.Peek(ctx, key)
	if errors.Is(err, errs.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// All iterates over the entries that this member owns and holds: keys with their
// values. It runs under no lock; entries that change meanwhile may be missed.
// Values that cannot be read, or have another Version, are left out.
func (g *Group[V]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		c := g.core
		now := c.Clock.Now()
		c.Store.Range(now, func(hash uint64, e *store.Entry) bool {
			until := owner.FreshUntil(e)
			if e.Negative || until != 0 && now >= until || c.State.MayServe(hash, c.Clock.Now()) != nil {
				return true
			}
			v, err := g.value(e)
			return err != nil || yield(e.Key, v)
		})
	}
}
