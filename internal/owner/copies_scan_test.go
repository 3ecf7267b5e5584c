package owner_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// copiedMesh returns a mesh whose group keeps each value on two members, and has these keys, with
// their numbers.
func copiedMesh(t *testing.T, ctx context.Context, members int, keys []string) (*kit.Mesh, []*cachemesh.Group[int]) {
	t.Helper()
	m := kit.New(t, members)
	groups := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[int]{Replicas: 2})
	for n, key := range keys {
		kit.Must(t, groups[n%members].Set(ctx, key, n, 0))
	}
	return m, groups
}

// allScanned returns the keys that a Scan shows, in order, and fails the test if one comes twice.
func allScanned(t *testing.T, ctx context.Context, g *cachemesh.Group[int], count int) (keys []string) {
	t.Helper()
	q := cachemesh.ScanQuery{Count: count}
	for {
		page, err := g.Scan(ctx, q)
		kit.Must(t, err)
		for _, item := range page.Items {
			keys = append(keys, item.Key)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	slices.Sort(keys)
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			t.Errorf("%s is shown twice", keys[i])
		}
	}
	return keys
}

// A Scan shows each key once, not once for each copy, and what was Set since the one before.
func TestScanOfCopies(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		keys := kit.Numbered("key", 300)
		_, groups := copiedMesh(t, ctx, 3, keys)
		if got := allScanned(t, ctx, groups[0], 20); len(got) != 300 {
			t.Errorf("%d keys of 300", len(got))
		}
		for i := range 100 {
			kit.Must(t, groups[i%3].Set(ctx, fmt.Sprint("more", i), i, 0))
			kit.Must(t, groups[i%3].Delete(ctx, keys[i]))
		}
		if got := allScanned(t, ctx, groups[1], 20); len(got) != 300 {
			t.Errorf("%d keys of 300 after 100 more and 100 fewer", len(got))
		}
	})
}
