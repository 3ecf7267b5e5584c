package kit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Collector sees what node 0 makes its peers forget. Its methods are called
// concurrently.
type Collector struct {
	mu        sync.Mutex          // guards the fields below
	fails     bool                // nobody can be told
	forgotten map[string]struct{} // keys
	cleared   int                 // members that cleared the group
}

// NewCollector returns a Collector that has seen nothing.
func NewCollector() *Collector { return &Collector{forgotten: make(map[string]struct{})} }

// Edit is the Edit of its mesh.
func (c *Collector) Edit(i int, o *cachemesh.Options) {
	o.CallTimeout = 2 * time.Second
	if i != 0 {
		return
	}
	o.Network = Tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
		c.mu.Lock()
		fails := c.fails
		c.mu.Unlock()
		if fails && req.Op != wire.OpFence && req.Op != wire.OpDigest {
			return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
		}
		err := next.Call(ctx, req, resp)
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case err != nil || resp.Status != wire.StatusOK:
		case req.Op == wire.OpDelete:
			c.forgotten[req.Key] = struct{}{}
		case req.Op == wire.OpClear:
			c.cleared++
		}
		return err
	}}
}

// Fail lets calls that make peers forget fail, or no more.
func (c *Collector) Fail(fails bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fails = fails
}

// Forgotten reports whether a peer forgot a key.
func (c *Collector) Forgotten(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.forgotten[key]
	return ok
}

// Cleared returns how many times a peer cleared a group.
func (c *Collector) Cleared() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cleared
}

// InMinority returns nil for the error of a write that holds in a minority only.
func InMinority(err error) error {
	if pe, ok := errors.AsType[*cachemesh.PeerError](err); ok && pe.MaybeApplied && errors.Is(err, cachemesh.ErrMinority) {
		return nil
	}
	return fmt.Errorf("%v, want ErrMinority and that it is applied here", err)
}
