package cachemesh_test

import (
	"context"
	"testing"

	"github.com/praveenduddu/cachemesh"
)

type user struct {
	ID   int64
	Name string
}

// TestHitsAllocateNothing measures hits at the owner and of hot copies.
func TestHitsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	m := newMesh(t, 2, func(_ int, o *cachemesh.Options) { o.Lease, o.MaxStale = 10e9, 60e9 })
	ctx := testContext(t)
	bytes := groupOn[[]byte](m, "bytes", nil, cachemesh.GroupOptions[[]byte]{})
	strings := groupOn[string](m, "strings", nil, cachemesh.GroupOptions[string]{})
	users := groupOn(m, "users", func(context.Context, string) (user, error) { return user{1, "u"}, nil }, cachemesh.GroupOptions[user]{})
	secrets := groupOn(m, "secrets", func(context.Context, string) (secretive, error) { return secretive{"u", 1}, nil }, cachemesh.GroupOptions[secretive]{})
	for owner := range 2 {
		what := "own hit"
		if owner != 0 {
			what = "hot hit"
		}
		bk, sk, uk, nk := m.keyOf("bytes", owner), m.keyOf("strings", owner), m.keyOf("users", owner), []byte(m.keyOf("", owner))
		xk := m.keyOf("secrets", owner)
		must(t, bytes[0].Set(ctx, bk, make([]byte, 128), 0))
		must(t, strings[0].Set(ctx, sk, "value", 0))
		must(t, m.nodes[0].Set(nk, []byte("value"), 0))
		for _, test := range []struct {
			name string
			get  func() error
		}{
			{"Group[[]byte].Get", func() error { _, err := bytes[0].Get(ctx, bk); return err }},
			{"Group[string].Get", func() error { _, err := strings[0].Get(ctx, sk); return err }},
			{"Group[struct].Get", func() error { _, err := users[0].Get(ctx, uk); return err }},
			{"Group[struct].Get of what was decoded", func() error { _, err := secrets[0].Get(ctx, xk); return err }},
			{"Node.Get", func() error { _, err := m.nodes[0].Get(nk); return err }},
		} {
			for range 10 { // becomes a hot copy where it can
				must(t, test.get())
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
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	m := newRealMesh(t, 2)
	ctx := testContext(t)
	groups := groupOn[[]byte](m, "g", nil, cachemesh.GroupOptions[[]byte]{NoHotCopies: true})
	key := m.keyOf("g", 1)
	must(t, groups[1].Set(ctx, key, make([]byte, 128), 0))
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
