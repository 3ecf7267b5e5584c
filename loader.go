package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A LoaderFunc fetches the value of a key from where it really lives. It runs
// on the key's owner, at most once at a time per key in the whole mesh. It
// returns ErrNotFound, wrapped or not, for a key that does not exist.
//
// ctx carries the values of the context of whoever asked first, but not its
// deadline: it ends after GroupOptions.LoadTimeout, or when nobody waits any
// more. What the loader returns is shared and must not be changed afterwards;
// a []byte is copied. Returning nil without an error is an error.
type LoaderFunc[V any] func(ctx context.Context, key string) (V, error)

var (
	errLoadedNil  = errors.New("it returned nil and no error: return ErrNotFound if there is no such value")
	errLoadGoexit = errors.New("it ended its goroutine with runtime.Goexit")
)

// loaderGrace is how long a loader whose context has ended may take to return,
// so that its own error is seen instead of the context's.
const loaderGrace = 10 * time.Millisecond

// callLoader calls the loader for one key, when it is its turn; queued is set
// while it waits for that.
func (c *groupCore) callLoader(ctx context.Context, key string, queued *atomic.Bool) (*store.Entry, error) {
	if err := c.turn.take(ctx, queued); err != nil {
		return nil, c.loadError(key, err)
	}
	start := time.Now()
	c.stats.loads.Add(1)
	e, err := guard(ctx, func() (*store.Entry, error) {
		defer c.turn.give() // when it returns, and not when it is given up
		return c.loader(ctx, key)
	})
	failed := err != nil && !errors.Is(err, ErrNotFound)
	c.stats.loaded(time.Since(start), failed)
	if failed {
		return nil, c.loadError(key, err)
	}
	return e, err
}

// guard calls f in a goroutine of its own, so that a panic, a Goexit and a
// function that ignores its context all end in an error for those who wait.
func guard[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		out := outcome{err: errLoadGoexit} // if f neither returns nor panics
		defer func() {
			if p := recover(); p != nil {
				out = outcome{err: &panicError{p, debug.Stack()}}
			}
			done <- out
		}()
		v, err := f()
		out = outcome{v, err}
	}()
	select {
	case out := <-done:
		return out.v, out.err
	case <-ctx.Done():
	}
	grace := time.NewTimer(loaderGrace)
	defer grace.Stop()
	select {
	case out := <-done:
		return out.v, out.err
	case <-grace.C:
		var zero T
		return zero, ctx.Err()
	}
}

// A panicError is a loader's panic.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

// Unwrap returns the panic's value if it is an error.
func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

func (c *groupCore) loadError(key string, err error) *LoadError {
	_, panicked := errors.AsType[*panicError](err)
	return &LoadError{Group: c.name, Key: key, Member: c.node.name, Panic: panicked, Err: err}
}
