package cachemesh

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Writer changes the origin of a group's values. Its methods run on the key's
// owner, one at a time per key, and never beside a load of the key whose value
// is kept. While the members agree on the owner, that is one at a time in the
// whole mesh. They are called once for each Set and Delete that returns nil, and
// at most once for one that fails.
//
// ctx carries the values of the context of a Set or Delete on the same member,
// but ends only after GroupOptions.LoadTimeout. A method should return when it
// ends and have changed nothing after that. If it does not, reads go on, and the
// cache follows when the method returns; until then other writes of the key wait,
// and fail with ErrWriterBusy, not applied, when their own time ends first.
//
// When the key gets another owner while a method runs, its new owner calls the
// Writer only after that one has returned. One that has not returned when twice
// LoadTimeout is over is given up, with a line in the log: what it changes after
// that may undo a write through the new owner, though the cache then shows what the
// origin has. So may one that runs on a member that crashed or was cut off.
type Writer[V any] interface {
	Store(ctx context.Context, key string, v V) error
	Delete(ctx context.Context, key string) error
}

// attach wraps the user's functions: what they return becomes entries.
func (g *Group[V]) attach(load LoaderFunc[V]) {
	c, many := g.core, g.opts.LoadMany
	if many != nil {
		c.Origin.LoadMany = g.manyLoader(many)
	}
	switch {
	case load != nil:
		c.Origin.Load = func(ctx context.Context, key string) (*store.Entry, error) {
			ctx, l := g.loading(ctx)
			v, err := load(ctx, key)
			if err != nil {
				return nil, err
			}
			return g.loadedEntry(key, v, l)
		}
	case many != nil:
		c.Origin.Load = func(ctx context.Context, key string) (*store.Entry, error) {
			outcomes, err := c.Origin.LoadMany(ctx, []string{key})
			if out, ok := outcomes[key]; ok {
				return out.Entry, out.Err
			}
			return nil, cmp.Or(err, errs.ErrNotFound)
		}
	}
	if w := g.opts.Writer; w != nil {
		c.Origin.Write = g.originWriter(w)
	}
}

func (g *Group[V]) manyLoader(many LoadManyFunc[V]) func(context.Context, []string) (map[string]origin.Loaded, error) {
	return func(ctx context.Context, keys []string) (map[string]origin.Loaded, error) {
		ctx, l := g.loading(ctx)
		token := g.core.TakeSpareToken()
		values, err := many(ctx, slices.Clone(keys))
		failed, err := guard.PerKey(err)
		outcomes := make(map[string]origin.Loaded, len(values))
		for _, key := range keys {
			if v, ok := values[key]; ok {
				var out origin.Loaded
				out.Entry, out.Err = g.loadedEntry(key, v, l)
				outcomes[key] = out
			} else if failed[key] != nil {
				outcomes[key] = origin.Loaded{Err: guard.Seal(failed[key], g.core.Origin.Known)}
			}
		}
		if len(values) > len(keys) || len(values) > len(outcomes) {
			g.keepSpares(token, l, outcomes, values)
		}
		return outcomes, err
	}
}

// loadedEntry makes an entry of what a loader returned.
func (g *Group[V]) loadedEntry(key string, v V, l *loading) (*store.Entry, error) {
	if g.format.IsNil != nil && g.format.IsNil(v) {
		return nil, errLoadedNil
	}
	ttl, err := g.ttlOf(l, key, v)
	if err != nil {
		return nil, err
	}
	if j := g.opts.TTLJitter; j > 0 && ttl > 0 && ttl != Forever {
		ttl = max(ttl-time.Duration(j*rand.Float64()*float64(ttl)), 1)
	}
	e, err := g.entry(key, v, ttl, true)
	if err == nil && ttl <= 0 {
		e.Expires = owner.DoNotStore
	}
	return e, err
}

// ttl returns the TTL that the options give a value; if it is not positive the
// value is not kept. The error is a panic of TTLFunc.
func (g *Group[V]) ttl(key string, v V) (ttl time.Duration, err error) {
	if g.opts.TTLFunc == nil {
		return cmp.Or(g.opts.TTL, Forever), nil
	}
	defer guard.Rescue(&err)
	return g.opts.TTLFunc(key, v), nil
}

func (g *Group[V]) originWriter(w Writer[V]) func(context.Context, string, *store.Entry) error {
	return func(ctx context.Context, key string, e *store.Entry) error {
		if e == nil {
			return w.Delete(ctx, key)
		}
		v, err := g.value(e)
		if err != nil {
			return err
		}
		return w.Store(ctx, key, v)
	}
}

// keepSpares stores values that nobody asked for, some of them if they are very many.
func (g *Group[V]) keepSpares(t *owner.SpareToken, l *loading, asked map[string]origin.Loaded, values map[string]V) {
	c, looked := g.core, 0
	if t.View == nil {
		return
	}
	for key, v := range values {
		if looked == owner.MaxLoadMany {
			return
		}
		if _, ok := asked[key]; ok || wire.CheckKey(key) != nil {
			continue
		}
		looked++
		hash := ring.Hash(c.Seed, key)
		if c.State.MayServe(hash, c.Clock.Now()) != nil {
			continue
		}
		if e, err := g.loadedEntry(strings.Clone(key), v, l); err == nil {
			c.KeepSpare(t, hash, e)
		}
	}
}
