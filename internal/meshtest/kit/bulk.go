package kit

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Bulk is an origin that is asked for several keys at once. Keys that begin with
// "missing" it does not have. Its methods are called concurrently; Calls, Singles and
// Times are read once no load runs.
type Bulk struct {
	mu      sync.Mutex     // guards the fields below
	Calls   [][]string     // of LoadMany
	Singles []string       // of Load
	Times   map[string]int // how often each key was loaded
	Takes   time.Duration  // each call
}

// Note counts a load of keys.
func (b *Bulk) Note(keys ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Times == nil {
		b.Times = make(map[string]int)
	}
	for _, key := range keys {
		b.Times[key]++
	}
}

// LoadMany is GroupOptions.LoadMany.
func (b *Bulk) LoadMany(_ context.Context, keys []string) (map[string]string, error) {
	b.Note(keys...)
	b.mu.Lock()
	b.Calls = append(b.Calls, slices.Clone(keys))
	takes := b.Takes
	b.mu.Unlock()
	time.Sleep(takes)
	values := make(map[string]string)
	for i, key := range keys {
		if !strings.HasPrefix(key, "missing") {
			values[key] = "value of " + key
		}
		keys[i] = "" // the slice is the loader's
	}
	return values, nil
}

// Load is a loader.
func (b *Bulk) Load(_ context.Context, key string) (string, error) {
	b.Note(key)
	b.mu.Lock()
	b.Singles = append(b.Singles, key)
	takes := b.Takes
	b.mu.Unlock()
	time.Sleep(takes)
	return "value of " + key, nil
}

// WantOnce checks that each key was loaded exactly once.
func (b *Bulk) WantOnce(t *testing.T, keys int) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.Times) != keys {
		t.Errorf("%d keys were loaded, want %d", len(b.Times), keys)
	}
	for key, n := range b.Times {
		if n != 1 {
			t.Errorf("%q was loaded %d times", key, n)
		}
	}
}
