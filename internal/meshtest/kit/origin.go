package kit

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh"
)

// ErrOrigin is what an origin fails with.
var ErrOrigin = errors.New("the database is down")

// Numbered returns n keys of a prefix.
func Numbered(prefix string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint(prefix, i)
	}
	return keys
}

// Echo loads a value that names its key.
func Echo(_ context.Context, key string) (string, error) { return "value of " + key, nil }

// A Table is an origin of one row, which comes and goes. Its methods are called
// concurrently.
type Table struct {
	Loads atomic.Int64
	Row   atomic.Pointer[string] // nil: none
	Fails atomic.Bool
}

// Load is a loader of any key.
func (tb *Table) Load(context.Context, string) (string, error) {
	tb.Loads.Add(1)
	if tb.Fails.Load() {
		return "", ErrOrigin
	}
	if p := tb.Row.Load(); p != nil {
		return *p, nil
	}
	return "", fmt.Errorf("no such row: %w", cachemesh.ErrNotFound)
}

// Set changes the row.
func (tb *Table) Set(v string) { tb.Row.Store(&v) }
