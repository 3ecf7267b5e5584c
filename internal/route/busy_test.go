package route_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// rowCalls is a LoadMany that notes how many keys each call had.
type rowCalls struct {
	mu    sync.Mutex
	sizes []int // guarded by mu
}

func (c *rowCalls) load(_ context.Context, keys []string) (map[string]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sizes = append(c.sizes, len(keys))
	values := make(map[string]string, len(keys))
	for _, key := range keys {
		values[key] = "value of " + key
	}
	return values, nil
}

// TestLoadManyIsBounded lets more single loads gather than one call of LoadMany may
// have: it is made when it is full, and the rest wait for their time. GetMany never
// makes a larger one either.
func TestLoadManyIsBounded(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const most, more = 1024, 10
		m, calls := kit.New(t, 1), new(rowCalls)
		g := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[string]{LoadMany: calls.load, BatchWindow: time.Minute, LoadTimeout: time.Hour})[0]
		start := time.Now()
		var waiting []<-chan kit.Outcome
		for i := range most + more {
			waiting = append(waiting, kit.GoGet(ctx, g, fmt.Sprint("key", i)))
		}
		synctest.Wait()
		if len(calls.sizes) != 1 || calls.sizes[0] != most || time.Since(start) != 0 {
			t.Fatalf("calls of %v keys after %v, want one of %d at once", calls.sizes, time.Since(start), most)
		}
		for i, c := range waiting {
			if out := <-c; out.Err != nil {
				t.Fatalf("key %d: %v", i, out.Err)
			}
		}
		if len(calls.sizes) != 2 || calls.sizes[1] != more || time.Since(start) != time.Minute {
			t.Errorf("calls of %v keys after %v", calls.sizes, time.Since(start))
		}
		calls.sizes = nil
		keys := make([]string, 3000)
		for i := range keys {
			keys[i] = fmt.Sprint("many", i)
		}
		if values, err := g.GetMany(ctx, keys); err != nil || len(values) != len(keys) {
			t.Errorf("GetMany: %d values, %v", len(values), err)
		}
		total := 0
		for _, n := range calls.sizes {
			if total += n; n > most {
				t.Errorf("a call of %d keys", n)
			}
		}
		if total != len(keys) {
			t.Errorf("%d keys were loaded, in calls of %v", total, calls.sizes)
		}
	})
}

// TestGetManyWithABusyKey: one of the keys is being written to the origin. It is
// waited for, singly; the others are loaded together.
func TestGetManyWithABusyKey(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, calls := kit.New(t, 2), new(rowCalls)
		tb := &kit.Origin{Rows: map[string]string{}, Block: make(chan struct{}), Entered: make(chan struct{})}
		groups := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[string]{LoadMany: calls.load, Writer: tb})
		keys := m.KeysOf("g", 0, 5)
		set := make(chan error, 1)
		go func() { set <- groups[0].Set(ctx, keys[2], "written", 0) }()
		<-tb.Entered
		type many struct {
			values map[string]string
			err    error
		}
		for i, g := range groups {
			short, cancel := context.WithTimeout(ctx, time.Second)
			values, err := g.GetMany(short, keys)
			cancel()
			if failed, _ := errors.AsType[cachemesh.KeyErrors](err); len(values) != 4 && g == groups[0] || len(failed) > 0 && !errors.Is(failed[keys[2]], context.DeadlineExceeded) {
				t.Errorf("node%d, while the key is written: %v, %v", i, values, err)
			}
		}
		done := make(chan many, 2)
		for _, g := range groups {
			go func() { values, err := g.GetMany(ctx, keys); done <- many{values, err} }()
		}
		synctest.Wait()
		close(tb.Block)
		kit.Must(t, <-set)
		for range groups {
			if out := <-done; out.err != nil || len(out.values) != 5 || out.values[keys[2]] != "written" || out.values[keys[0]] != "value of "+keys[0] {
				t.Errorf("when it is written: %v, %v", out.values, out.err)
			}
		}
		for _, n := range calls.sizes {
			if n != 4 {
				t.Errorf("calls of %v keys, want the four that are not busy", calls.sizes)
			}
		}
	})
}

// TestPeekAtANonOwner asks a member for a key that it does not own: it says so, and
// who does; a Peek that meets that finds nothing, and nobody loads.
func TestPeekAtANonOwner(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const flagPeek = 4
		lie := false
		m := kit.New(t, 2, func(i int, o *cachemesh.Options) {
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, _ string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if lie && req.Op == wire.OpGet {
					*resp = httppool.Response{Status: wire.StatusNotOwner}
					return nil
				}
				return next.Call(ctx, req, resp)
			}}
		})
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 0)
		resp := kit.Ask(ctx, m.Nodes[1], httppool.Request{Op: wire.OpGet, Group: "g", Key: key, Flags: flagPeek})
		if resp.Status != wire.StatusNotOwner || resp.Message != m.Nodes[0].Addr() {
			t.Errorf("status %d, %q, want not the owner, and %s", resp.Status, resp.Message, m.Nodes[0].Addr())
		}
		kit.MustGet(t, groups[0], key, "value of "+key)
		if v, err := groups[1].Peek(ctx, key); err != nil || v == "" {
			t.Errorf("Peek at the owner = %q, %v", v, err)
		}
		lie = true
		if v, err := groups[1].Peek(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("Peek at a member that owns it no more = %q, %v", v, err)
		}
		if n := groups[0].Stats().Loads + groups[1].Stats().Loads; n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	})
}
