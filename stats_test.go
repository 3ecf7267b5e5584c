package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestStatsAddUp counts what it does and compares.
func TestStatsAddUp(t *testing.T) {
	m := newMesh(t, 3)
	groups := groupOn(m, "g", func(_ context.Context, key string) (string, error) {
		if key[0] == 'b' {
			return "", errors.New("bad")
		}
		return key, nil
	}, cachemesh.GroupOptions[string]{})
	ctx := testContext(t)
	const keys = 300
	for round := range 2 {
		for i := range keys {
			if _, err := groups[(i+round)%3].Get(ctx, fmt.Sprint("key", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 30 {
		groups[i%3].Get(ctx, fmt.Sprint("bad", i))
		must(t, groups[i%3].Set(ctx, fmt.Sprint("set", i), "v", 0))
		must(t, groups[i%3].Delete(ctx, fmt.Sprint("set", i), fmt.Sprint("gone", i)))
	}
	_, err := groups[0].GetMany(ctx, []string{"key1", "key2", "key3"})
	must(t, err)
	var sum cachemesh.Stats
	for _, g := range groups {
		s := g.Stats()
		if s.OwnHits+s.HotHits+s.PeerHits > s.Gets {
			t.Errorf("more hits than Gets: %+v", s)
		}
		sum.Gets += s.Gets
		sum.OwnHits += s.OwnHits
		sum.PeerHits += s.PeerHits
		sum.HotHits += s.HotHits
		sum.Loads += s.Loads
		sum.LoadErrors += s.LoadErrors
		sum.Sets += s.Sets
		sum.Deletes += s.Deletes
		sum.Entries += s.Entries
		sum.PeerErrors += s.PeerErrors
		sum.Served += s.Served
		sum.PeerCalls += s.PeerCalls
	}
	want := map[string][2]uint64{
		"Gets": {sum.Gets, 2*keys + 30 + 3}, "hits": {sum.OwnHits + sum.PeerHits + sum.HotHits, keys + 3},
		"Loads": {sum.Loads, keys + 30}, "LoadErrors": {sum.LoadErrors, 30},
		"Sets": {sum.Sets, 30}, "Deletes": {sum.Deletes, 60}, "Entries": {uint64(sum.Entries), keys}, "PeerErrors": {sum.PeerErrors, 0},
		// Every Get was answered by one hit or one load.
		"hits and loads": {sum.OwnHits + sum.PeerHits + sum.HotHits + sum.Loads, sum.Gets},
	}
	for what, pair := range want {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d, want %d", what, pair[0], pair[1])
		}
	}
}

func TestLoadTimeIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		groups := groupOn(m, "g", func(context.Context, string) (string, error) {
			time.Sleep(3 * time.Second)
			return "", nil
		}, cachemesh.GroupOptions[string]{})
		mustGet(t, groups[0], "k", "")
		if s := groups[0].Stats(); s.LoadTime != 3*time.Second {
			t.Errorf("LoadTime %v, want 3s", s.LoadTime)
		}
	})
}
