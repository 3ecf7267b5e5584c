package settle_test

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestOwedDeletesArePaid: what was deleted in a minority the majority is made to forget
// when they meet, sooner or later, and all of the group if that was too much to note.
func TestOwedDeletesArePaid(t *testing.T) {
	for name, tt := range map[string]struct {
		keys    int
		failing time.Duration // how long nobody can be told after they met
	}{
		"a few":                  {keys: 5},
		"more than can be noted": {keys: 5000},
		"not at once":            {keys: 5, failing: 5 * time.Second},
		"nor all of the group":   {keys: 5000, failing: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				c := kit.NewCollector()
				m := kit.New(t, 3, c.Edit)
				g := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
				keys := m.KeysOf("g", 1, tt.keys)
				m.Net.Partition([]string{kit.Host(0)})
				kit.AwaitMode(t, m.Nodes[0], "minority")
				for _, key := range keys {
					kit.Must(t, kit.InMinority(g[0].Delete(ctx, key)))
				}
				c.Fail(tt.failing > 0)
				m.Net.Heal()
				for _, n := range m.Nodes {
					kit.AwaitMembers(t, ctx, n, 3)
				}
				m.Settle(3)
				time.Sleep(tt.failing)
				c.Fail(false)
				time.Sleep(5 * time.Second)
				if c.Cleared() >= 2 {
					return
				}
				for _, key := range keys {
					if !c.Forgotten(key) {
						t.Fatalf("%q was deleted in the minority, and its owner in the majority was not told", key)
					}
				}
			})
		})
	}
}
