package owner_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestReadersBesideWrites: in a group with a Writer a load that was voided answers
// nobody; still no reader starves, however often the key is written.
func TestReadersBesideWrites(t *testing.T) {
	const load, lasts = 50 * time.Millisecond, 2 * time.Second
	for owner := range 2 {
		for _, writes := range []time.Duration{0, 3 * time.Millisecond, 20 * time.Millisecond} {
			t.Run(fmt.Sprintf("owner=node%d/a write takes %v", owner, writes), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m, d := kit.New(t, 2), kit.NewDatabase()
					var inside kit.Crowd
					d.Before(func(context.Context, string) error { time.Sleep(writes); return nil })
					groups := kit.GroupOn(m, "g", func(ctx context.Context, key string) (string, error) {
						inside.Enter()
						defer inside.Leave()
						v, err := d.Load(ctx, key)
						select {
						case <-time.After(load):
						case <-ctx.Done():
						}
						return v, err
					}, cachemesh.GroupOptions[string]{Writer: d, NotFoundTTL: time.Minute})
					key := m.KeyOf("g", owner)
					end := time.Now().Add(lasts)
					var all sync.WaitGroup
					var gets, deletes atomic.Int64
					var longest, longestWrite time.Duration
					var mu sync.Mutex // guards longestWrite
					for range 3 {     // writers that leave no gap
						all.Go(func() {
							for time.Now().Before(end) {
								start := time.Now()
								kit.Must(t, groups[1].Delete(ctx, key))
								mu.Lock()
								longestWrite = max(longestWrite, time.Since(start))
								mu.Unlock()
								deletes.Add(1)
								time.Sleep(5 * time.Millisecond)
							}
						})
					}
					all.Go(func() {
						for time.Now().Before(end) {
							start := time.Now()
							_, err := groups[0].Get(ctx, key)
							if !errors.Is(err, cachemesh.ErrNotFound) {
								t.Errorf("Get = %v", err)
							}
							gets.Add(1)
							longest = max(longest, time.Since(start))
							time.Sleep(time.Millisecond)
						}
					})
					all.Wait()
					t.Logf("%d Gets and %d Deletes of the same key: %d loads, at most %d at once; the longest Get took %v, the longest Delete %v",
						gets.Load(), deletes.Load(), inside.Entered.Load(), inside.Most.Load(), longest, longestWrite)
					if longest > 2*load+3*writes+10*time.Millisecond || inside.Most.Load() > 2 {
						t.Errorf("a Get took %v, a load takes %v; %d loads at once", longest, load, inside.Most.Load())
					}
				})
			})
		}
	}
}

// TestLoadsThatAreNotStored, because the owner does not know the group, run one at
// a time, and no more than a few are given up.
func TestLoadsThatAreNotStored(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, o := kit.New(t, 2), &slowOrigin{takes: 500 * time.Millisecond, ignores: true}
		g, err := cachemesh.NewGroup(m.Nodes[0], "g", o.load, cachemesh.GroupOptions[int64]{})
		kit.Must(t, err)
		for range 100 {
			short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			g.Get(short, m.KeyOf("g", 1))
			cancel()
		}
		t.Logf("100 Gets of 10 ms: %d loads, at most %d at once", o.Entered.Load(), o.Most.Load())
		if o.Most.Load() != 1 {
			t.Errorf("%d loads at once", o.Most.Load())
		}
		kit.MustGet(t, g, m.KeyOf("g", 1), 0)

		never := &slowOrigin{takes: time.Minute, ignores: true}
		g, err = cachemesh.NewGroup(m.Nodes[0], "never", never.load, cachemesh.GroupOptions[int64]{LoadTimeout: time.Second})
		kit.Must(t, err)
		refused := 0
		for range 40 {
			if _, err := g.Get(ctx, m.KeyOf("never", 1)); errors.Is(err, cachemesh.ErrOverloaded) {
				refused++
			}
		}
		if never.Most.Load() != 8 || refused != 32 {
			t.Errorf("%d loads at once that never return, %d Gets refused, want 8 and 32", never.Most.Load(), refused)
		}
		time.Sleep(2 * time.Minute) // until they have returned
	})
}
