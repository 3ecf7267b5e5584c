package kit

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// Gone is how a Watch sees a key that does not exist any more: newer
// than every version.
const Gone = 1 << 30

// A Watch checks that what Gets return never goes back: a Get that starts after
// another has ended returns the same version or a newer one.
type Watch struct {
	Floor atomic.Int64 // no Get that starts now may return an older one
	Reads atomic.Int64 // Gets that have ended
	back  sync.Once
}

// Get gets the key on a member. It is called concurrently.
func (w *Watch) Get(t *testing.T, ctx context.Context, g *cachemesh.Group[int], who int, key string) {
	floor := w.Floor.Load()
	v, err := g.Get(ctx, key)
	if errors.Is(err, cachemesh.ErrNotFound) {
		v, err = Gone, nil
	}
	if err != nil {
		t.Errorf("node%d: %v", who, err)
	}
	if int64(v) < floor {
		w.back.Do(func() { t.Errorf("node%d got version %d after somebody got %d", who, v, floor) })
	}
	w.Reads.Add(1)
	for old := w.Floor.Load(); int64(v) > old && !w.Floor.CompareAndSwap(old, int64(v)); {
		old = w.Floor.Load()
	}
}

// WatchAll reads a key on every member once in a millisecond, for a time.
func WatchAll(t *testing.T, ctx context.Context, groups []*cachemesh.Group[int], key string, d time.Duration) *Watch {
	w := &Watch{}
	var all sync.WaitGroup
	for i, g := range groups {
		all.Go(func() {
			for range int(d / time.Millisecond) {
				w.Get(t, ctx, g, i, key)
				time.Sleep(time.Millisecond)
			}
		})
	}
	all.Wait()
	return w
}
