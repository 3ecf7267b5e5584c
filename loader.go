package cachemesh

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/internal/ring"
)

// A LoaderFunc fetches the value of a key from where it really lives. It runs
// on the key's owner, at most once at a time per key in the whole mesh, but for
// calls whose value is of no use any more: one of these may run beside it. It
// returns ErrNotFound, wrapped or not, for a key that does not exist. Joined with
// another error it is a failure: not everything that was asked has answered.
//
// ctx carries the values of the context of whoever asked first, on another member
// those that Options.InjectContext carries across, but not its
// deadline: it ends after GroupOptions.LoadTimeout, or when nobody waits any
// more, unless GroupOptions.FinishLoads is set. What the loader returns is shared and must not be changed afterwards;
// a []byte is copied. With ctx it can say how long that lives (KeepFor), and see what
// the key still has (Former). A nil slice or map is an empty value, and what others get is
// a []byte of no bytes; any other nil without an error is an error.
//
// A loader should return when ctx ends. One that does not counts as running until
// LoadTimeout is over; when 8 calls for a key have not returned, Gets of it fail
// with a *LoadError that matches ErrOverloaded until one has.
type LoaderFunc[V any] func(ctx context.Context, key string) (V, error)

var (
	errLoadedNil = errors.New("it returned nil and no error: return ErrNotFound if there is no such value")
)

// A LoadManyFunc fetches the values of several keys in one go, at their owner. A
// key that is missing from the map does not exist. If it returns an error, the
// keys that are in the map have loaded all the same, and the others failed. With a
// KeyErrors it says what happened to each: keys that are in neither do not exist,
// as those whose error is ErrNotFound. If that is joined with other errors, keys
// that are in neither failed.
//
// The map may have more than was asked for: up to 1024 of these are kept, if this
// member owns their keys and has nothing of them, and nothing came in between.
//
// ctx is as for a LoaderFunc, but ends only when nobody waits for any key. In a call
// that gathered for BatchWindow it has the values of the first that came. The slice
// is the function's own.
type LoadManyFunc[V any] func(ctx context.Context, keys []string) (map[string]V, error)

// A loading is what the context of a call of a loader or of LoadMany carries for it.
type loading struct {
	former any // func(key string) (V, bool) of the group's type

	mu   sync.Mutex
	ttls map[string]time.Duration // by KeepFor; guarded by mu
}

type loadingKey struct{}

// KeepFor says, in a loader or LoadMany with the ctx that it was given, how long the
// value lives that it returns for a key: as if TTLFunc had returned that, and instead
// of it. GroupOptions.TTLJitter shortens it as well. With another context it does
// nothing. It may be called concurrently, until the loader returns.
//
//	resp, err := http.DefaultClient.Do(req)
//	…
//	cachemesh.KeepFor(ctx, key, maxAge(resp))
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
// the type of the group's values. It may be called concurrently.
func Former[V any](ctx context.Context, key string) (v V, ok bool) {
	l, _ := ctx.Value(loadingKey{}).(*loading)
	if l == nil {
		return v, false
	}
	former, ok := l.former.(func(string) (V, bool))
	if !ok {
		return v, false
	}
	return former(key)
}

// loading returns a context for a call of a loader.
func (g *Group[V]) loading(ctx context.Context) (context.Context, *loading) {
	l := &loading{former: g.former}
	return context.WithValue(ctx, loadingKey{}, l), l
}

// former returns the value that a key has on its owner, whatever its age.
func (g *Group[V]) former(key string) (v V, ok bool) {
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
func (g *Group[V]) ttlOf(l *loading, key string, v V) (time.Duration, error) {
	l.mu.Lock()
	ttl, ok := l.ttls[key]
	l.mu.Unlock()
	if ok {
		return ttl, nil
	}
	return g.ttl(key, v)
}
