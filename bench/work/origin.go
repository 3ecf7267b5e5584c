package work

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/bench/delay"
	"github.com/praveenduddu/cachemesh/bench/timer"
)

// An Origin is what lies behind a cache.
type Origin interface {
	// Load returns the present value of a key.
	Load(ctx context.Context, key string) ([]byte, error)
	// Write changes an item and returns its new version.
	Write(ctx context.Context, it *Item) (uint64, error)
	// Loads returns how often Load was called in this process.
	Loads() uint64
	Close() error
}

// OriginSpec says which origin a process uses.
type OriginSpec struct {
	Driver string        `json:",omitempty"` // "sqlite", "pgx" or ServedDriver; empty: values are computed
	DSN    string        `json:",omitempty"`
	Delay  time.Duration `json:",omitempty"` // that a Load takes, besides what it takes anyway

	Network delay.Dialer `json:",omitempty"` // between the process and a database
}

// OpenOrigin opens the origin of the from-th process.
func OpenOrigin(s OriginSpec, from int) (o Origin, err error) {
	switch s.Driver {
	case "":
		return &computed{from: from, delay: s.Delay}, nil
	case ServedDriver:
		o, err = openServed(s, from)
	default:
		o, err = openSQL(s, from)
	}
	if err == nil && s.Delay > 0 {
		o = &slow{o, s.Delay}
	}
	return o, err
}

// slow takes its time for each Load, and reads in the middle of it: what it returns may
// have changed since.
type slow struct {
	Origin
	delay time.Duration
}

func (o *slow) Load(ctx context.Context, key string) ([]byte, error) {
	timer.Sleep(o.delay / 2)
	b, err := o.Origin.Load(ctx, key)
	timer.Sleep(o.delay - o.delay/2)
	return b, err
}

// computed makes values up, after a delay.
type computed struct {
	from  int
	delay time.Duration
	loads atomic.Uint64
}

func (o *computed) Load(ctx context.Context, key string) ([]byte, error) {
	o.loads.Add(1)
	it, err := ParseKey(key)
	if err != nil {
		return nil, err
	}
	if o.delay > 0 {
		select {
		case <-time.After(o.delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return it.Value(o.from, 0), nil
}

func (o *computed) Write(context.Context, *Item) (uint64, error) { return 0, nil }

func (o *computed) Loads() uint64 { return o.loads.Load() }

func (o *computed) Close() error { return nil }
