package cachemesh

import (
	"context"
	"errors"
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
