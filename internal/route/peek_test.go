package route_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

func wantPeek(t *testing.T, g *cachemesh.Group[int], who int, key string, want int, found bool) {
	t.Helper()
	v, err := g.Peek(kit.Context(t), key)
	if found && (v != want || err != nil) || !found && !errors.Is(err, cachemesh.ErrNotFound) {
		t.Errorf("node%d: Peek(%q) = %d, %v, want %d, found %t", who, key, v, err, want, found)
	}
	if has, err := g.Contains(kit.Context(t), key); has != found || err != nil {
		t.Errorf("node%d: Contains(%q) = %t, %v, want %t", who, key, has, err, found)
	}
}

// TestPeekNeverLoads: not a key that is missing, not one that is due to be
// refreshed, not one past its TTL, and it is no use of a key either.
func TestPeekNeverLoads(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		var loads atomic.Int64
		groups := kit.GroupOn(m, "g", func(context.Context, string) (int, error) { return int(loads.Add(1)), nil },
			cachemesh.GroupOptions[int]{TTL: time.Minute, RefreshAfter: time.Second, StaleFor: time.Hour, HotReads: 1})
		for owner := range 3 {
			key := m.KeyOf("g", owner)
			peekAll := func(want int, found bool) {
				t.Helper()
				before := loads.Load()
				for range 5 {
					for i, g := range groups {
						wantPeek(t, g, i, key, want, found)
					}
				}
				synctest.Wait()
				if n := loads.Load(); n != before {
					t.Errorf("Peek and Contains made %d loads", n-before)
				}
			}
			peekAll(0, false)
			want := int(loads.Load()) + 1
			kit.MustGet(t, groups[owner], key, want)
			peekAll(want, true)
			time.Sleep(2 * time.Second) // a read would refresh it
			peekAll(want, true)
			time.Sleep(time.Minute)
			peekAll(0, false)
		}
		var s cachemesh.Stats
		for _, g := range groups {
			one := g.Stats()
			s.Gets, s.OwnHits, s.HotHits, s.PeerHits, s.Served = s.Gets+one.Gets, s.OwnHits+one.OwnHits, s.HotHits+one.HotHits, s.PeerHits+one.PeerHits, s.Served+one.Served
		}
		if s.Gets != 3 || s.OwnHits+s.HotHits+s.PeerHits != 0 {
			t.Errorf("after 3 Gets that loaded, and Peeks: %d Gets, %d hits", s.Gets, s.OwnHits+s.HotHits+s.PeerHits)
		}
	})
}

func TestPeekSeesWrites(t *testing.T) {
	m := kit.New(t, 3)
	groups := kit.GroupOn[int](m, "g", nil, cachemesh.GroupOptions[int]{Replicas: 1, HotReads: 1})
	ctx := kit.Context(t)
	for owner := range 3 {
		key := m.KeyOf("g", owner)
		for v := range 50 {
			kit.Must(t, groups[v%3].Set(ctx, key, v, 0))
			for i, g := range groups {
				wantPeek(t, g, i, key, v, true)
				kit.MustGet(t, g, key, v) // makes hot copies
			}
		}
		kit.Must(t, groups[1].Delete(ctx, key))
		for i, g := range groups {
			wantPeek(t, g, i, key, 0, false)
		}
	}
	for _, g := range groups {
		if _, err := g.Peek(ctx, ""); !errors.Is(err, cachemesh.ErrInvalidKey) {
			t.Errorf("Peek of an empty key: %v", err)
		}
	}
}

func TestPeekOfWhatIsKnownNotToExist(t *testing.T) {
	m, tb := kit.New(t, 2), &kit.Table{}
	groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{NotFoundTTL: time.Hour, HotReads: 1})
	key := m.KeyOf("g", 0)
	for range 3 {
		for _, g := range groups {
			kit.WantNotFound(t, g, key)
			if v, err := g.Peek(kit.Context(t), key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("Peek = %q, %v", v, err)
			}
			if has, err := g.Contains(kit.Context(t), key); has || err != nil {
				t.Errorf("Contains = %t, %v", has, err)
			}
		}
	}
	if n := tb.Loads.Load(); n != 1 {
		t.Errorf("%d loads, want 1", n)
	}
}

// TestAll: the members' entries together are all that is cached, each with one
// member: no hot copies, nothing that is not found, nothing past its TTL.
func TestAll(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		groups := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) {
			if key[0] == 'n' {
				return "", cachemesh.ErrNotFound
			}
			return "value of " + key, nil
		}, cachemesh.GroupOptions[string]{HotReads: 1, NotFoundTTL: time.Hour, TTLFunc: func(key, _ string) time.Duration {
			if key[0] == 's' {
				return time.Second
			}
			return time.Hour
		}, StaleFor: time.Hour})
		want := make(map[string]string)
		for i := range 600 {
			kind := "lsn"[i%3 : i%3+1]
			key := fmt.Sprint(kind, "key", i)
			for range 3 {
				groups[i%3].Get(ctx, key)
				groups[0].Get(ctx, key)
			}
			if kind == "l" {
				want[key] = "value of " + key
			}
		}
		time.Sleep(2 * time.Second)
		got := make(map[string]string)
		for i, g := range groups {
			n := 0
			for key, v := range g.All() {
				if _, twice := got[key]; twice || m.Owner("g", key) != i {
					t.Errorf("node%d has %q, twice: %t", i, key, twice)
				}
				got[key] = v
				n++
			}
			for range g.All() {
				break // it may be left early
			}
			if n == 0 {
				t.Errorf("node%d has nothing", i)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%d entries, want %d", len(got), len(want))
		}
		// The loop body may use the group: no lock is held.
		for key := range groups[0].All() {
			kit.Must(t, groups[0].Delete(ctx, key))
		}
		for key := range groups[0].All() {
			t.Errorf("%q is left", key)
		}
	})
}
