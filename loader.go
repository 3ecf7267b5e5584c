package cachemesh

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A loading is what the context of a call of a loader or of LoadMany carries for it.
type loading struct {
	key    string // that a loader of one key was called for
	former any    // func(key string) (V, bool) of the group's type

	mu   sync.Mutex
	ttls map[string]time.Duration // by KeepFor; guarded by mu
}

type loadingKey struct{}

// KeepFor says, in a loader or LoadMany with the ctx that it was given, how long the
// value lives that it returns for a key: as if TTLFunc had returned that, and instead
// of it. GroupOptions.TTLJitter shortens it as well. With another context it does
// nothing. The key "" means each that this call loads and of which nothing else is said: a loader
// of one key need not repeat it. It may be called concurrently, until the loader returns.
//
//	resp, err := http.DefaultClient.Do(req)
//	…
//	cachemesh.KeepFor(ctx, "", maxAge(resp))
//	return body, nil
func KeepFor(ctx context.Context, key string, ttl time.Duration) {
	l, _ := ctx.Value(loadingKey{}).(*loading)
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ttls == nil {
		l.ttls = make(map[string]time.Duration)
	}
	l.ttls[key] = ttl
}

// Former returns, in a loader or LoadMany with the ctx that it was given, the value
// that a key still has: it is being refreshed, or its TTL has passed and
// GroupOptions.StaleFor keeps it. A loader can ask its origin whether that has
// changed, by an ETag or a time that is part of the value, and return it again if
// not; it lives for another TTL then. It must not be changed. There is none for a key
// that was deleted, or that another member owns; with another context, or if V is not
// the type of the group's values. The key "" means the one that a loader of one key was called for.
// It may be called concurrently.
func Former[V any](ctx context.Context, key string) (v V, ok bool) {
	l, _ := ctx.Value(loadingKey{}).(*loading)
	if l == nil {
		return v, false
	}
	former, ok := l.former.(func(string) (V, bool))
	if !ok {
		return v, false
	}
	return former(cmp.Or(key, l.key))
}

// loading returns a context for a call of a loader, of one key or, if that is "", of several.
func (g *values[V]) loading(ctx context.Context, key string) (context.Context, *loading) {
	l := &loading{key: key, former: g.former}
	return context.WithValue(ctx, loadingKey{}, l), l
}

// former returns the value that a key has on its owner, whatever its age.
func (g *values[V]) former(key string) (v V, ok bool) {
	c := g.core
	hash := ring.Hash(c.Seed, key)
	if c.State.MayServe(hash, c.Clock.Now()) != nil {
		return v, false
	}
	e := c.Store.Peek(hash, key, c.Clock.Now())
	if e == nil || e.Negative {
		return v, false
	}
	v, err := g.value(e)
	return v, err == nil
}

// ttlOf returns the TTL that the loader gave a value, else what the options give it.
func (g *values[V]) ttlOf(l *loading, key string, v V) (time.Duration, error) {
	l.mu.Lock()
	ttl, ok := l.ttls[key]
	if !ok {
		ttl, ok = l.ttls[""]
	}
	l.mu.Unlock()
	if ok {
		return ttl, nil
	}
	return g.ttl(key, v)
}

// attach wraps the user's functions: what they return becomes entries.
func (g *values[V]) attach(load LoaderFunc[V]) {
	c, many := g.core, g.opts.LoadMany
	c.Origin.OnPanic = (&panicLog{core: c}).note
	if many != nil {
		c.Origin.LoadMany = g.manyLoader(many)
	}
	switch {
	case load != nil:
		c.Origin.Load = func(ctx context.Context, key string) (*store.Entry, error) {
			ctx, l := g.loading(ctx, key)
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
	if g.opts.Cache {
		c.Origin.Load = func(context.Context, string) (*store.Entry, error) { return nil, errs.ErrNotFound }
	}
	if w := g.opts.Writer; w != nil {
		c.Origin.Write = g.originWriter(w)
	}
}

func (g *values[V]) manyLoader(many LoadManyFunc[V]) func(context.Context, []string) (map[string]origin.Loaded, error) {
	return func(ctx context.Context, keys []string) (map[string]origin.Loaded, error) {
		ctx, l := g.loading(ctx, "")
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

var errLoadedNil = errors.New("it returned nil and no error: return ErrNotFound if there is no such value")

// loadedEntry makes an entry of what a loader returned.
func (g *values[V]) loadedEntry(key string, v V, l *loading) (*store.Entry, error) {
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

// A panicLog says in the log that a user's function panicked, and where, once a minute.
type panicLog struct {
	core *groups.Core
	said atomic.Int64 // when, on the node's clock
}

const panicsEvery = time.Minute

func (l *panicLog) note(function, key string, p *guard.PanicError) {
	now, said := l.core.Clock.Now(), l.said.Load()
	if (said == 0 || now-said >= int64(panicsEvery)) && l.said.CompareAndSwap(said, max(now, 1)) {
		l.core.Log.Error("a "+function+" panicked", append(guard.LogArgs(p), "group", l.core.Name, "key", key)...)
	}
}

func (g *values[V]) originWriter(w Writer[V]) func(context.Context, string, *store.Entry) error {
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
func (g *values[V]) keepSpares(t *owner.SpareToken, l *loading, asked map[string]origin.Loaded, values map[string]V) {
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

// tags returns the tags of an entry's value. Errors: that it cannot be decoded, and a panic.
func (g *values[V]) tags(e *store.Entry) (tags []string, err error) {
	v, err := g.value(e)
	if err != nil {
		return nil, err
	}
	defer guard.Rescue(&err)
	return g.opts.Tags(e.Key, v), nil
}
