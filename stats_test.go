package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestStatsCountEveryGetOnce: what a Get was answered by is counted where it was
// asked, loads where they ran.
func TestStatsCountEveryGetOnce(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 2)
		groups := groupOn(m, "g", func(_ context.Context, key string) (string, error) {
			time.Sleep(30 * time.Millisecond)
			if key[0] == 'b' {
				return "", errSentinel
			}
			return "v", nil
		}, cachemesh.GroupOptions[string]{HotReads: 3, TTL: time.Minute})
		key := m.keyOf("g", 0)
		owner, peer := groups[0], groups[1]
		for range 10 {
			mustGet(t, owner, key, "v")
		}
		for range 10 {
			mustGet(t, peer, key, "v")
		}
		peer.GetMany(ctx, []string{key, key})
		bad := ""
		for i := 0; bad == "" || m.owner("g", bad) != 0; i++ {
			bad = fmt.Sprint("bad", i)
		}
		if _, err := peer.Get(ctx, bad); err == nil {
			t.Error("the loader did not fail")
		}
		must(t, peer.Set(ctx, key, "w", 0))
		must(t, peer.Delete(ctx, key, "other"))
		a, b := owner.Stats(), peer.Stats()
		t.Logf("owner %+v", a)
		t.Logf("peer %+v", b)
		if a.Gets != 10 || a.OwnHits != 9 || a.HotHits+a.PeerHits != 0 {
			t.Errorf("owner: %d Gets, %d own, %d hot, %d peer hits", a.Gets, a.OwnHits, a.HotHits, a.PeerHits)
		}
		if b.Gets != 13 || b.OwnHits != 0 || b.HotHits+b.PeerHits != 12 || b.HotHits < 8 || b.PeerHits < 2 {
			t.Errorf("peer: %d Gets, %d own, %d hot, %d peer hits", b.Gets, b.OwnHits, b.HotHits, b.PeerHits)
		}
		if a.Loads != 2 || b.Loads != 0 || a.LoadErrors != 1 || a.LoadTime != 60*time.Millisecond || a.LoadMax != 30*time.Millisecond {
			t.Errorf("loads %d and %d, errors %d, in %v, at most %v", a.Loads, b.Loads, a.LoadErrors, a.LoadTime, a.LoadMax)
		}
		if b.Sets != 1 || b.Deletes != 2 || a.Sets+a.Deletes != 0 {
			t.Errorf("%d Sets, %d Deletes", b.Sets, b.Deletes)
		}
		if b.PeerCalls < 5 || a.Entries != 0 || a.Bytes <= 0 {
			t.Errorf("%d peer calls, %d entries, %d bytes", b.PeerCalls, a.Entries, a.Bytes)
		}
	})
}

func TestStatsOfTrouble(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := newMesh(t, 2), &table{}
		groups := groupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{TTL: time.Second, StaleFor: time.Minute, RefreshAfter: 500 * time.Millisecond,
			NotFoundTTL: time.Second, MaxBytes: 64 << 10})
		key := m.keyOf("g", 0)
		tb.set("v")
		mustGet(t, groups[0], key, "v")
		time.Sleep(600 * time.Millisecond)
		mustGet(t, groups[0], key, "v") // refreshes
		time.Sleep(2 * time.Second)
		tb.fails.Store(true)
		if _, err := groups[0].Get(ctx, key); err == nil {
			t.Error("the loader did not fail")
		}
		s := groups[0].Stats()
		if s.Refreshes != 1 || s.StaleServed != 1 || s.LoadErrors != 1 {
			t.Errorf("%d refreshes, %d stale, %d errors, want 1 of each", s.Refreshes, s.StaleServed, s.LoadErrors)
		}
		tb.fails.Store(false)
		for i := range 2000 {
			groups[0].Get(ctx, fmt.Sprint("key", i))
		}
		if s := groups[0].Stats(); s.Evictions == 0 || s.Bytes > 64<<10 {
			t.Errorf("%d evictions, %d bytes", s.Evictions, s.Bytes)
		}
		m.kill(1)
		for i := range 10 {
			if err := groups[0].Delete(ctx, fmt.Sprint("key", i)); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		if s := groups[0].Stats(); s.PeerErrors == 0 || s.Retries == 0 {
			t.Errorf("%d peer errors, %d retries after a crash", s.PeerErrors, s.Retries)
		}
	})
}
