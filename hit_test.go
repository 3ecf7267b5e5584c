package cachemesh_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

type user struct {
	ID   int64
	Name string
}

// TestHitsAllocateNothing measures hits at the owner and of hot copies.
func TestHitsAllocateNothing(t *testing.T) {
	if kit.Race {
		t.Skip("the race detector allocates")
	}
	m := kit.New(t, 2, func(_ int, o *cachemesh.Options) { o.Lease, o.MaxStale = 10e9, 60e9 })
	ctx := kit.Context(t)
	bytes := kit.GroupOn[[]byte](m, "bytes", nil, cachemesh.GroupOptions[[]byte]{})
	strings := kit.GroupOn[string](m, "strings", nil, cachemesh.GroupOptions[string]{})
	users := kit.GroupOn(m, "users", func(context.Context, string) (user, error) { return user{1, "u"}, nil }, cachemesh.GroupOptions[user]{})
	secrets := kit.GroupOn(m, "secrets", func(context.Context, string) (secretive, error) { return secretive{"u", 1}, nil }, cachemesh.GroupOptions[secretive]{})
	for owner := range 2 {
		what := "own hit"
		if owner != 0 {
			what = "hot hit"
		}
		bk, sk, uk, nk := m.KeyOf("bytes", owner), m.KeyOf("strings", owner), m.KeyOf("users", owner), []byte(m.KeyOf("", owner))
		xk := m.KeyOf("secrets", owner)
		kit.Must(t, bytes[0].Set(ctx, bk, make([]byte, 128), 0))
		kit.Must(t, strings[0].Set(ctx, sk, "value", 0))
		kit.Must(t, m.Nodes[0].Set(nk, []byte("value"), 0))
		for _, test := range []struct {
			name string
			get  func() error
		}{
			{"Group[[]byte].Get", func() error { _, err := bytes[0].Get(ctx, bk); return err }},
			{"Group[string].Get", func() error { _, err := strings[0].Get(ctx, sk); return err }},
			{"Group[struct].Get", func() error { _, err := users[0].Get(ctx, uk); return err }},
			{"Group[struct].Get of what was decoded", func() error { _, err := secrets[0].Get(ctx, xk); return err }},
			{"Node.Get", func() error { _, err := m.Nodes[0].Get(nk); return err }},
		} {
			for range 10 { // becomes a hot copy where it can
				kit.Must(t, test.get())
			}
			allocs := testing.AllocsPerRun(1000, func() {
				if err := test.get(); err != nil {
					t.Error(err)
				}
			})
			t.Logf("%s, %s: %v allocations", what, test.name, allocs)
			if allocs != 0 {
				t.Errorf("%s, %s: %v allocations, want 0", what, test.name, allocs)
			}
		}
	}
	if s := bytes[0].Stats(); s.OwnHits < 1000 || s.HotHits < 1000 {
		t.Errorf("%d own and %d hot hits: the test measured something else", s.OwnHits, s.HotHits)
	}
}

// TestRemoteGetAllocations counts what both ends of a remote hit allocate.
func TestRemoteGetAllocations(t *testing.T) {
	if kit.Race {
		t.Skip("the race detector allocates")
	}
	m := kit.NewReal(t, 2)
	ctx := kit.Context(t)
	groups := kit.GroupOn[[]byte](m, "g", nil, cachemesh.GroupOptions[[]byte]{NoHotCopies: true})
	key := m.KeyOf("g", 1)
	kit.Must(t, groups[1].Set(ctx, key, make([]byte, 128), 0))
	get := func() {
		if _, err := groups[0].Get(ctx, key); err != nil {
			t.Error(err)
		}
	}
	for range 100 {
		get()
	}
	allocs := testing.AllocsPerRun(5000, get)
	t.Logf("remote hit: %v allocations at both ends together", allocs)
	if allocs > 3 {
		t.Errorf("a remote hit made %v allocations, want at most 3", allocs)
	}
	before := groups[0].Stats()
	if before.PeerHits < 5000 {
		t.Errorf("%d hits at the peer: the test measured something else", before.PeerHits)
	}
}

// secretive has a field that its bytes do not have.
type secretive struct {
	Name   string
	hidden int
}

type place struct {
	Name     string
	Lat, Lon float64
}

// BenchmarkGetOwn measures a hit in the memory of the key's owner.
func BenchmarkGetOwn(b *testing.B) {
	const keys = 10_000
	n, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	if err := n.Start(); err != nil {
		b.Fatal(err)
	}
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprintf("key-%06d", i)
	}
	value := make([]byte, 128)
	raw, err := cachemesh.NewGroup(n, "bytes", func(context.Context, string) ([]byte, error) { return value, nil }, cachemesh.GroupOptions[[]byte]{})
	if err != nil {
		b.Fatal(err)
	}
	typed, err := cachemesh.NewGroup(n, "places", func(_ context.Context, key string) (place, error) { return place{Name: key}, nil }, cachemesh.GroupOptions[place]{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("bytes", func(b *testing.B) { benchmarkGets(b, raw, names) })
	b.Run("struct", func(b *testing.B) { benchmarkGets(b, typed, names) })
}

func benchmarkGets[V any](b *testing.B, g *cachemesh.Group[V], keys []string) {
	ctx := context.Background()
	for _, key := range keys {
		if _, err := g.Get(ctx, key); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := g.Get(ctx, keys[i]); err != nil {
			b.Fatal(err)
		}
		if i++; i == len(keys) {
			i = 0
		}
	}
}

// BenchmarkGetMany measures GetMany of 100 keys that three members hold, all in
// this process, over loopback.
func BenchmarkGetMany(b *testing.B) {
	value := make([]byte, 128)
	load := func(context.Context, string) ([]byte, error) { return value, nil }
	var first *cachemesh.Group[[]byte]
	var seeds []string
	for range 3 {
		node := newNode(cachemesh.Options{BootstrapNodes: seeds})
		defer node.Close()
		seeds = []string{node.Addr()}
		g, err := cachemesh.NewGroup(node, "g", load, cachemesh.GroupOptions[[]byte]{NoHotCopies: true})
		if err != nil {
			b.Fatal(err)
		}
		if first == nil {
			first = g
		}
	}
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%06d", i)
	}
	b.ReportAllocs()
	for b.Loop() {
		values, err := first.GetMany(context.Background(), keys)
		if err != nil || len(values) != len(keys) {
			b.Fatal(len(values), err)
		}
	}
}
