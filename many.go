package cachemesh

import (
	"context"
	"errors"
	"iter"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/wire"
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

// Refresh loads keys again, at their owners, whether or not they have a value, with
// one call of LoadMany per owner if the group has it. When it returns nil, every Get
// that starts later, on any member, sees what a load that began after the call of
// Refresh brought, or something newer; a key that does not exist any more is
// forgotten. Until then everybody sees the value before it, and a load that fails
// leaves that in its place.
//
// While the members disagree about the owner or cannot reach it, it tries again
// until ctx ends, or Options.CallTimeout and LoadTimeout are over if ctx has no
// deadline. Its error is a KeyErrors of those keys that failed: *LoadError,
// ErrInvalidKey, ErrUnsettled, *PeerError, ctx's own. Or ErrClosed, ErrGroupClosed, ErrNotStarted;
// an *OptionError if the group has no loader.
func (g *Group[V]) Refresh(ctx context.Context, keys ...string) error {
	c := g.core
	if c.Origin.Load == nil || c.Cache {
		return errs.Option("load", nil, errors.New("the group has no loader: nothing can be loaded again"))
	}
	if _, ok := ctx.Deadline(); !ok {
		most := clock.Later(int64(c.Ways.CallTimeout), c.LoadTimeout)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(most))
		defer cancel()
	}
	if err := c.Open(); err != nil {
		return err
	}
	v, err := c.State.Current(ctx)
	if err != nil {
		return err
	}
	f := &route.Failures{}
	var all errgroup.Group
	all.SetLimit(route.BatchCalls)
	for o, mine := range c.Partition(v, keys, f) {
		for chunk := range wire.Chunks(mine) {
			all.Go(func() error { c.ReloadEach(ctx, c.ReloadManyAt(ctx, o, chunk, f), f); return nil })
		}
	}
	all.Wait()
	return f.Err()
}

// GetMany returns the values of the keys that have one, with one call per
// owner. Keys that were not found are missing from the map; keys that failed
// are missing too, and their errors are in the KeyErrors that is returned
// beside the values of the others. A stale value is in the map, and its *StaleError in the
// KeyErrors, unless GroupOptions.OnStale is told of it.
func (g *Group[V]) GetMany(ctx context.Context, keys []string) (map[string]V, error) {
	b, err := g.core.GetMany(ctx, keys, 0)
	if err != nil {
		return nil, err
	}
	defer b.Free()
	got := gathered[V]{values: make(map[string]V, len(keys))}
	var unread []int
	for i := range b.Outcomes {
		v, found, err := g.values.answer(&b.Outcomes[i])
		if errs.IsUnreadable(err) {
			unread = append(unread, i)
			continue
		}
		if !found && errors.Is(err, errs.ErrNotFound) {
			err = nil
		}
		got.put(keys[i], v, found, g.values.told(ctx, err))
	}
	got.reload(ctx, &g.values, b, unread)
	if got.failed != nil {
		return got.values, got.failed
	}
	return got.values, nil
}

// SetMany makes each value that of its key, as Set does, with its guarantees, a bounded number at
// once. The keys are set in no order, and each for itself: some may be while others fail. values
// must not be changed before it returns; what it has is used as by Set.
//
// Its error is a KeyErrors of those keys that failed, each with what Set returns, or what Set
// returns for any key: ErrClosed, ErrGroupClosed, ErrNotStarted, ErrInvalidTTL.
func (g *Group[V]) SetMany(ctx context.Context, values map[string]V, ttl time.Duration) error {
	if ttl < 0 {
		return negative(ttl)
	}
	if err := g.core.Open(); err != nil {
		return err
	}
	if _, err := g.core.State.Current(ctx); err != nil {
		return err
	}
	f := &route.Failures{}
	f.Each(maps.Keys(values), func(key string) error { return g.Set(ctx, key, values[key], ttl) })
	return f.Err()
}

// gathered is what GetMany returns.
type gathered[V any] struct {
	values map[string]V
	failed errs.KeyErrors // nil: none
}

func (r *gathered[V]) put(key string, v V, found bool, err error) {
	if found {
		r.values[key] = v
	}
	if err != nil {
		if r.failed == nil {
			r.failed = make(errs.KeyErrors)
		}
		r.failed[key] = err
	}
}

// reload is values.reload for keys of a batch, a bounded number at once.
func (r *gathered[V]) reload(ctx context.Context, g *values[V], b *route.Batch, indexes []int) {
	if len(indexes) == 0 {
		return
	}
	var mu sync.Mutex // guards r
	var all errgroup.Group
	all.SetLimit(owner.BatchLoaders)
	for _, i := range indexes {
		all.Go(func() error {
			key, o := b.Keys[i], &b.Outcomes[i]
			_, cause := g.decoded(o)
			v, err := g.reload(ctx, ring.Hash(g.core.Seed, key), key, o.E, cause)
			found := err == nil
			if _, stale := err.(*errs.StaleError); stale {
				found = true
			} else if errors.Is(err, errs.ErrNotFound) && !errs.IsOutcome(err) {
				err = nil
			}
			err = g.told(ctx, err)
			mu.Lock()
			defer mu.Unlock()
			r.put(key, v, found, err)
			return nil
		})
	}
	all.Wait()
}
