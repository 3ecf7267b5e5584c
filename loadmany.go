package cachemesh

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A LoadManyFunc fetches the values of several keys in one go, at their owner. A
// key that is missing from the map does not exist. If it returns an error, the
// keys that are in the map have loaded all the same, and the others failed.
//
// ctx is as for a LoaderFunc, but ends only when nobody waits for any key. The
// slice is the function's own.
type LoadManyFunc[V any] func(ctx context.Context, keys []string) (map[string]V, error)

// maxLoadMany bounds the keys of one call.
const maxLoadMany = batchKeys

// A loadBatch is one call of LoadMany and the flights that it carries. It
// gathers until it is started.
type loadBatch struct {
	core   *groupCore
	ctx    context.Context // ends after LoadTimeout, or when no flight waits
	cancel context.CancelFunc
	done   chan struct{} // closed once entries and err are set

	keys    []string // guarded by core.gathering while it gathers
	started bool     // guarded by core.gathering

	waiting int         // flights that have not been called off; guarded by core.gathering
	queued  atomic.Bool // it waits for its turn to call LoadMany

	outcomes map[string]loaded // keys that are missing do not exist, unless err
	err      error
}

// newBatch returns a batch whose context has the values of ctx.
func (c *groupCore) newBatch(ctx context.Context) *loadBatch {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.loadTimeout)
	stop := context.AfterFunc(c.node.closeCtx, cancel)
	return &loadBatch{core: c, ctx: ctx, cancel: func() { stop(); cancel() }, done: make(chan struct{})}
}

// batchFor enrols the flight of a key: in the batch given, else in the group's
// gathering one if single loads gather. It returns nil if the key is loaded on
// its own.
func (c *groupCore) batchFor(ctx context.Context, b *loadBatch, key string) *loadBatch {
	if c.loadMany == nil || b == nil && c.batchWindow == 0 {
		return nil
	}
	c.gathering.Lock()
	defer c.gathering.Unlock()
	if b == nil {
		if b = c.gather; b == nil {
			b = c.newBatch(ctx)
			c.gather = b
			time.AfterFunc(c.batchWindow, b.start)
		}
	}
	b.keys = append(b.keys, key)
	b.waiting++
	if b == c.gather && len(b.keys) == maxLoadMany {
		b.startLocked()
	}
	return b
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
	if len(b.keys) == 0 {
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
		return
	}
	if b.err = c.turn.take(b.ctx, &b.queued); b.err != nil {
		return
	}
	start := time.Now()
	c.stats.loads.Add(1)
	b.outcomes, b.err = guard(b.ctx, func() (map[string]loaded, error) {
		defer c.turn.give()
		return c.loadMany(b.ctx, b.keys)
	})
	c.stats.loaded(time.Since(start), b.err != nil && !errors.Is(b.err, ErrNotFound))
}

// wait returns the outcome for one key. If the flight is called off, the batch
// goes on as long as another is not.
func (b *loadBatch) wait(ctx context.Context, key string) (*store.Entry, error) {
	select {
	case <-b.done:
	case <-ctx.Done():
		b.leave()
		return nil, b.core.loadError(key, ctx.Err())
	}
	if out, ok := b.outcomes[key]; ok {
		if out.err != nil {
			return nil, b.core.loadError(key, out.err)
		}
		return out.entry, nil
	}
	if b.err != nil && !errors.Is(b.err, ErrNotFound) {
		return nil, b.core.loadError(key, b.err)
	}
	return nil, ErrNotFound
}

// leave notes that a flight was called off. When none is left the batch is too,
// and nobody joins it any more.
func (b *loadBatch) leave() {
	b.core.gathering.Lock()
	defer b.core.gathering.Unlock()
	if b.waiting--; b.waiting > 0 {
		return
	}
	b.cancel()
	b.started = true
	if b.core.gather == b {
		b.core.gather = nil
	}
}

// loadBatched loads keys that this node owns with one call of LoadMany, sharing
// the flights of those that are being loaded already. It hands each outcome to
// put, and returns the keys that must be tried singly.
func (c *groupCore) loadBatched(ctx context.Context, keys []string, put func(key string, e *store.Entry, err error)) (rest []string) {
	b := c.newBatch(ctx)
	type joined struct {
		key    string
		shard  *shard
		flight *flight
		result <-chan singleflight.Result
	}
	var flights []joined
	for _, key := range keys {
		hash := ring.Hash(c.seed, key)
		s := c.shard(hash)
		e, f, result, busy, err := c.joinFlight(ctx, s, hash, key, false, b)
		switch {
		case e != nil:
			put(key, e, err)
		case busy != nil, isUnsettled(err):
			rest = append(rest, key)
		case err != nil:
			put(key, nil, err)
		default:
			flights = append(flights, joined{key, s, f, result})
		}
	}
	b.start()
	last, cancel := c.lastCall(ctx)
	defer cancel()
	for _, j := range flights {
		e, err := c.await(ctx, last, j.shard, j.key, j.flight, j.result)
		if err == errVoid {
			rest = append(rest, j.key)
			continue
		}
		put(j.key, e, err)
	}
	return rest
}
