package hotcache_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestLeaseOfAVanishedHolder: a holder is cut off, and the owner gives it up while it
// still takes the owner for alive and serves its copy. A Delete waits for the lease all
// the same.
func TestLeaseOfAVanishedHolder(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const lease = 8 * time.Second
		m := kit.New(t, 5, func(_ int, o *cachemesh.Options) { o.Lease, o.Right = lease, 10*time.Second })
		var row atomic.Value
		row.Store("old")
		g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := m.KeysOf("g", 0, 20)
		for _, key := range keys {
			for range 3 {
				kit.MustGet(t, g[4], key, "old")
			}
		}
		if g[4].Stats().HotHits == 0 {
			t.Fatal("it holds no copy")
		}
		began := time.Now()
		m.Net.Partition([]string{kit.Host(4)})
		kit.AwaitMembers(t, ctx, m.Nodes[0], 4)
		if n := len(m.Nodes[4].Members()); n == 1 {
			t.Fatal("the holder has given up the owner already: this proves nothing")
		}
		row.Store("new")
		for _, key := range keys[:1] {
			kit.Must(t, g[0].Delete(ctx, key))
			if took := time.Since(began); took < lease-time.Second {
				t.Errorf("a Delete returned %v after the leases were granted, which last %v", took, lease)
			}
			short, cancel := context.WithTimeout(ctx, time.Second)
			if v, err := g[4].Get(short, key); err == nil && v != "new" {
				t.Errorf("after the Delete the holder read %q", v)
			}
			cancel()
		}
		m.Net.Heal()
	})
}

// TestNoLeaseDuringClear: while a Clear waits for a slow holder of one key, another
// member asks for a lease on a second key. Its copy would outlive the Clear.
func TestNoLeaseDuringClear(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3, kit.SlowInvalidations(300*time.Millisecond))
		var row atomic.Value
		row.Store("old")
		g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := m.KeysOf("g", 0, 2)
		for range 3 {
			kit.MustGet(t, g[1], keys[0], "old")
		}
		kit.MustGet(t, g[0], keys[1], "old")
		row.Store("new")
		done := make(chan error, 1)
		go func() { done <- g[0].Clear(ctx) }()
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("the Clear met no holder")
		default:
		}
		for range 3 {
			if _, err := g[2].Get(ctx, keys[1]); err != nil {
				t.Error(err)
			}
		}
		kit.Must(t, <-done)
		kit.MustGet(t, g[2], keys[1], "new") // first here: the owner's next load would recall what is out
		for _, key := range keys {
			for i := range g {
				kit.MustGet(t, g[i], key, "new")
			}
		}
	})
}
