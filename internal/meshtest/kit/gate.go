package kit

import (
	"context"
	"sync/atomic"
)

// A Gate is a loader that tells when it was entered and waits to be let go.
type Gate struct {
	Loads   atomic.Int64
	Entered chan context.Context // of each load, which waits when 16 were not received
	Release chan string          // what a load returns
}

// NewGate returns a Gate that nobody has entered.
func NewGate() *Gate {
	return &Gate{Entered: make(chan context.Context, 16), Release: make(chan string)}
}

// Load is the loader.
func (g *Gate) Load(ctx context.Context, _ string) (string, error) {
	g.Loads.Add(1)
	g.Entered <- ctx
	select {
	case v := <-g.Release:
		return v, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// A Crowd counts how many are inside at once, at most and in all.
type Crowd struct{ now, Most, Entered atomic.Int64 }

// Enter counts one more inside, until Leave.
func (c *Crowd) Enter() {
	c.Entered.Add(1)
	for n, most := c.now.Add(1), c.Most.Load(); n > most && !c.Most.CompareAndSwap(most, n); {
		most = c.Most.Load()
	}
}

// Leave ends an Enter.
func (c *Crowd) Leave() { c.now.Add(-1) }
