package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// A collector sees what a member makes its peers forget.
type collector struct {
	mu        sync.Mutex          // guards the fields below
	fails     bool                // nobody can be told
	forgotten map[string]struct{} // keys
	cleared   int                 // members that cleared the group
}

func (c *collector) edit(i int, o *cachemesh.Options) {
	o.CallTimeout = 2 * time.Second
	if i != 0 {
		return
	}
	o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
		c.mu.Lock()
		fails := c.fails
		c.mu.Unlock()
		if fails && req.Op != cachemesh.OpFence {
			return &httppool.CallError{Addr: addr, Err: httppool.ErrUnreachable}
		}
		err := next.Call(ctx, req, resp)
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case err != nil || resp.Status != cachemesh.StatusOK:
		case req.Op == cachemesh.OpDelete:
			c.forgotten[req.Key] = struct{}{}
		case req.Op == cachemesh.OpClear:
			c.cleared++
		}
		return err
	}}
}

func (c *collector) fail(fails bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fails = fails
}

// TestOwedDeletesArePaid: what was deleted in a minority the majority is made to forget
// when they meet, sooner or later, and all of the group if that was too much to note.
func TestOwedDeletesArePaid(t *testing.T) {
	for name, tt := range map[string]struct {
		keys    int
		failing time.Duration // how long nobody can be told after they met
	}{
		"a few":                  {keys: 5},
		"more than can be noted": {keys: 5000},
		"not at once":            {keys: 5, failing: 5 * time.Second},
		"nor all of the group":   {keys: 5000, failing: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				c := &collector{forgotten: make(map[string]struct{})}
				m := newMesh(t, 3, c.edit)
				g := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
				keys := m.keysOf("g", 1, tt.keys)
				m.net.Partition([]string{hostName(0)})
				awaitMode(t, m.nodes[0], "minority")
				for _, key := range keys {
					must(t, inMinority(g[0].Delete(ctx, key)))
				}
				c.fail(tt.failing > 0)
				m.net.Heal()
				for _, n := range m.nodes {
					awaitMembers(t, ctx, n, 3)
				}
				m.settle(3)
				time.Sleep(tt.failing)
				c.fail(false)
				time.Sleep(5 * time.Second)
				c.mu.Lock()
				defer c.mu.Unlock()
				if c.cleared >= 2 {
					return
				}
				for _, key := range keys {
					if _, ok := c.forgotten[key]; !ok {
						t.Fatalf("%q was deleted in the minority, and its owner in the majority was not told; %d keys were", key, len(c.forgotten))
					}
				}
			})
		})
	}
}

// inMinority returns nil for the error of a write that holds in a minority only.
func inMinority(err error) error {
	if pe, ok := errors.AsType[*cachemesh.PeerError](err); ok && pe.MaybeApplied && errors.Is(err, cachemesh.ErrMinority) {
		return nil
	}
	return fmt.Errorf("%v, want ErrMinority and that it is applied here", err)
}
