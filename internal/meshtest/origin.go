package meshtest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// An Origin stands for the database behind a mesh. Its methods are called
// concurrently.
type Origin struct {
	Loads *History             // records loads; nil: nothing
	Delay func() time.Duration // of a load, before and after it reads the row; nil: none

	Loaded func(key string) // is told of each load; nil: nobody

	// Down says of each load whether it fails, with ErrDown. It is called under a lock.
	// Nil: none does.
	Down func() bool

	mu   sync.Mutex // guards rows, and calls of Down
	rows map[string]int
}

// NewOrigin returns an empty one.
func NewOrigin() *Origin { return &Origin{rows: make(map[string]int)} }

// Write changes a row.
func (o *Origin) Write(key string, v int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows[key] = v
}

func (o *Origin) read(key string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rows[key]
}

// ErrDown is what an Origin says that is down.
var ErrDown = errors.New("the origin is down")

func (o *Origin) isDown() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Down != nil && o.Down()
}

// Load is a loader.
func (o *Origin) Load(ctx context.Context, key string) (int, error) {
	if o.Loaded != nil {
		o.Loaded(key)
	}
	if o.Delay == nil {
		return o.value(key)
	}
	if err := sleep(ctx, o.Delay()); err != nil {
		return 0, err
	}
	v, err := o.value(key)
	if late := sleep(ctx, o.Delay()); late != nil {
		return 0, late
	}
	return v, err
}

// loaders is the client that loads are recorded for.
const loaders = 1 << 20

func (o *Origin) value(key string) (int, error) {
	if o.isDown() {
		return 0, ErrDown
	}
	end := func(Output) {}
	if o.Loads != nil {
		end = o.Loads.Begin(loaders, Input{Kind: Load, Key: key})
	}
	v := o.read(key)
	end(Output{Value: v})
	if v != 0 {
		return v, nil
	}
	return 0, cachemesh.ErrNotFound
}
