package settle_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestFiftyMembers: as many as the front page names agree, have loaded each row once, and see what one of
// them deletes.
func TestFiftyMembers(t *testing.T) {
	if kit.Race || testing.Short() {
		t.Skip("it takes a minute with the race detector")
	}
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const members, rows = 50, 100
		m := kit.New(t, members)
		loads := 0 // one loader runs at a time: the Gets follow each other
		groups := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
			loads++
			return fmt.Sprint("read ", loads), nil
		}, cachemesh.GroupOptions[string]{})
		for i := range rows {
			for _, g := range []int{i % members, (i + 7) % members} {
				_, err := groups[g].Get(ctx, fmt.Sprint(i))
				kit.Must(t, err)
			}
		}
		if loads != rows {
			t.Errorf("%d loads of %d rows", loads, rows)
		}
		kit.Must(t, groups[3].Delete(ctx, "42"))
		for i, g := range groups {
			if v, err := g.Get(ctx, "42"); v != fmt.Sprint("read ", rows+1) || err != nil {
				t.Errorf("member %d: %q, %v", i, v, err)
			}
		}
	})
}
