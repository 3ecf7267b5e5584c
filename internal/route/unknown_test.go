package route_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// TestGroupThatOthersDoNotKnow: a name that one member spells otherwise is counted, and
// logged once, with who does not know it. One that comes with a deployment is not.
func TestGroupThatOthersDoNotKnow(t *testing.T) {
	for _, registered := range []bool{false, true} {
		t.Run(fmt.Sprintf("registered in time: %t", registered), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				logs := new(kit.Log)
				m := kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.Logger = logs.Logger() })
				g, err := cachemesh.NewGroup(m.Nodes[0], "usres", kit.Echo, cachemesh.GroupOptions[string]{NoHotCopies: true})
				kit.Must(t, err)
				keys := append(m.KeysOf("usres", 1, 5), m.KeysOf("usres", 2, 5)...)
				for second := range 180 {
					if registered && second == 40 {
						for _, n := range m.Nodes[1:] {
							_, err := cachemesh.NewGroup(n, "usres", kit.Echo, cachemesh.GroupOptions[string]{})
							kit.Must(t, err)
						}
					}
					for _, key := range keys[:5+second%2*5] {
						kit.MustGet(t, g, key, "value of "+key)
					}
					if _, err := g.GetMany(ctx, keys); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
				}
				seam.Inside(m.Nodes[0]).FlushLog()
				lines, want := logs.Count("group=usres", "node1", "node2"), 1
				if registered {
					want = 0
				}
				if lines != want || logs.Count("usres") != want {
					t.Errorf("%d lines, want %d: %v", lines, want, logs)
				}
				if s := g.Stats(); s.UnknownGroup < 100 {
					t.Errorf("UnknownGroup is %d", s.UnknownGroup)
				}
			})
		})
	}
}
