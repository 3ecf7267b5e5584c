package cachemesh

import "context"

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
