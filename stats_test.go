package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestStatsCountEveryGetOnce: what a Get was answered by is counted where it was
// asked, loads where they ran.
func TestStatsCountEveryGetOnce(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		groups := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) {
			time.Sleep(30 * time.Millisecond)
			if key[0] == 'b' {
				return "", kit.ErrOrigin
			}
			return "v", nil
		}, cachemesh.GroupOptions[string]{HotReads: 3, TTL: time.Minute})
		key := m.KeyOf("g", 0)
		owner, peer := groups[0], groups[1]
		for range 10 {
			kit.MustGet(t, owner, key, "v")
		}
		for range 10 {
			kit.MustGet(t, peer, key, "v")
		}
		peer.GetMany(ctx, []string{key, key})
		bad := ""
		for i := 0; bad == "" || m.Owner("g", bad) != 0; i++ {
			bad = fmt.Sprint("bad", i)
		}
		if _, err := peer.Get(ctx, bad); err == nil {
			t.Error("the loader did not fail")
		}
		kit.Must(t, peer.Set(ctx, key, "w", 0))
		kit.Must(t, peer.Delete(ctx, key, "other"))
		kit.Must(t, peer.DeletePrefix(ctx, "nothing"))
		kit.Must(t, peer.Clear(ctx))
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
		if l := a.LoadLatency; l.Count() != 2 || l.Sum != a.LoadTime || atMost(l, 25*time.Millisecond) != 0 || atMost(l, 50*time.Millisecond) != 2 {
			t.Errorf("load latency %+v, want two loads of 30ms", l)
		}
		if l := b.PeerLatency; l.Count() != b.PeerCalls || l.Sum < 30*time.Millisecond || atMost(l, 30*time.Second) != b.PeerCalls {
			t.Errorf("peer latency %+v of %d calls", l, b.PeerCalls)
		}
		if b.Sets != 1 || b.Deletes != 2 || b.Purges != 2 || a.Sets+a.Deletes+a.Purges != 0 {
			t.Errorf("%d Sets, %d Deletes, %d Purges", b.Sets, b.Deletes, b.Purges)
		}
		if b.PeerCalls < 5 || a.Entries != 0 || a.Bytes <= 0 {
			t.Errorf("%d peer calls, %d entries, %d bytes", b.PeerCalls, a.Entries, a.Bytes)
		}
	})
}

func TestStatsOfTrouble(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := kit.New(t, 2), &kit.Table{}
		groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{TTL: time.Second, StaleFor: time.Minute, RefreshAfter: 500 * time.Millisecond,
			NotFoundTTL: time.Second, MaxBytes: 64 << 10})
		key := m.KeyOf("g", 0)
		tb.Set("v")
		kit.MustGet(t, groups[0], key, "v")
		time.Sleep(600 * time.Millisecond)
		kit.MustGet(t, groups[0], key, "v") // refreshes
		time.Sleep(2 * time.Second)
		tb.Fails.Store(true)
		if _, err := groups[0].Get(ctx, key); err == nil {
			t.Error("the loader did not fail")
		}
		s := groups[0].Stats()
		if s.Refreshes != 1 || s.StaleServed != 1 || s.LoadErrors != 1 {
			t.Errorf("%d refreshes, %d stale, %d errors, want 1 of each", s.Refreshes, s.StaleServed, s.LoadErrors)
		}
		tb.Fails.Store(false)
		for i := range 2000 {
			groups[0].Get(ctx, fmt.Sprint("key", i))
		}
		if s := groups[0].Stats(); s.Evictions == 0 || s.Bytes > 64<<10 || s.MaxBytes != 64<<10 || s.Fullness != float64(s.Bytes)/(64<<10) || s.Fullness < 0.5 {
			t.Errorf("%d evictions, %d bytes of %d, %v of it", s.Evictions, s.Bytes, s.MaxBytes, s.Fullness)
		}
		if s := m.Nodes[0].Stats(); s.Fullness != float64(s.Bytes)/float64(s.MaxBytes) || s.Fullness <= 0 || s.PeerCalls != s.Calls || s.PeerErrors != s.CallErrors {
			t.Errorf("a node has %d bytes of %d, %v of it; %d calls", s.Bytes, s.MaxBytes, s.Fullness, s.PeerCalls)
		}
		m.Kill(1)
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

// atMost returns how many calls took no longer than one of the bounds.
func atMost(l cachemesh.Latency, bound time.Duration) uint64 {
	for b, n := range l.Buckets() {
		if b == bound {
			return n
		}
	}
	return 0
}

// TestGroupsWithoutTheirTypes: those that are registered are found, with what they counted,
// and what their owners know of keys.
func TestGroupsWithoutTheirTypes(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{TTL: time.Minute, Replicas: 1})
		all := m.Nodes[0].Groups()
		if len(all) != 2 || all[0].Name() != "" || all[1].Name() != "g" || all[1] != m.Nodes[0].Groups()[1] {
			t.Fatalf("groups %v", all)
		}
		g, key := all[1], m.KeyOf("g", 1)
		if owner, err := g.Owner(key); err != nil || owner != m.Nodes[1].Name() {
			t.Errorf("Owner = %q, %v", owner, err)
		}
		if _, err := g.Owner(""); !errors.Is(err, cachemesh.ErrInvalidKey) {
			t.Errorf("Owner of no key: %v", err)
		}
		if _, err := g.Meta(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("Meta of a key without a value: %v", err)
		}
		kit.Must(t, groups[0].Set(ctx, key, "v", time.Hour))
		want, err := groups[0].Meta(ctx, key)
		kit.Must(t, err)
		if got, err := g.Meta(ctx, key); err != nil || got != want || got.TTL != time.Hour || got.Owner != m.Nodes[1].Name() {
			t.Errorf("Meta = %+v, %v, want %+v", got, err, want)
		}
		if got, want := g.Stats(), groups[0].Stats(); got != want || got.Sets != 1 {
			t.Errorf("Stats %+v, want %+v", got, want)
		}
		kit.Must(t, groups[0].Close(ctx))
		if all := m.Nodes[0].Groups(); len(all) != 1 {
			t.Errorf("%d groups after one was closed", len(all))
		}
		if _, err := g.Owner(key); !errors.Is(err, cachemesh.ErrGroupClosed) {
			t.Errorf("Owner in a closed group: %v", err)
		}
		m.Nodes[0].Close()
		if _, err := all[0].Owner(key); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Owner on a closed node: %v", err)
		}
	})
	node := newNode(cachemesh.Options{})
	defer node.Close()
	if _, err := node.Groups()[0].Owner("k"); err != nil {
		t.Errorf("Owner alone: %v", err)
	}
}

// TestGarbageIsCounted sends bytes that are no peer protocol over an upgraded
// connection, and bytes that are not even HTTP.
func TestGarbageIsCounted(t *testing.T) {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	conn, err := net.Dial("tcp", node.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write([]byte("GET /_cachemesh/peer HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: cachemesh/99\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	n, _ := conn.Read(answer)
	t.Logf("another version is answered %.40q", answer[:n])
	s := node.Stats()
	if len(s.Refused) != 1 {
		t.Errorf("Refused = %v, want one reason", s.Refused)
	}
	if s.Members != 1 || !s.Settled || s.Epoch == 0 {
		t.Errorf("a node alone says of itself: %+v", s)
	}
}
