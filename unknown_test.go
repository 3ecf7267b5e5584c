package cachemesh_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestGroupThatOthersDoNotKnow: a name that one member spells otherwise is counted, and
// logged once, with who does not know it. One that comes with a deployment is not.
func TestGroupThatOthersDoNotKnow(t *testing.T) {
	for _, registered := range []bool{false, true} {
		t.Run(fmt.Sprintf("registered in time: %t", registered), func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				logs := new(record)
				m := newMesh(t, 3, func(_ int, o *cachemesh.Options) { o.Logger = logs.logger() })
				g, err := cachemesh.NewGroup(m.nodes[0], "usres", echoLoader, cachemesh.GroupOptions[string]{NoHotCopies: true})
				must(t, err)
				keys := append(m.keysOf("usres", 1, 5), m.keysOf("usres", 2, 5)...)
				for second := range 180 {
					if registered && second == 40 {
						for _, n := range m.nodes[1:] {
							_, err := cachemesh.NewGroup(n, "usres", echoLoader, cachemesh.GroupOptions[string]{})
							must(t, err)
						}
					}
					for _, key := range keys[:5+second%2*5] {
						mustGet(t, g, key, "value of "+key)
					}
					if _, err := g.GetMany(ctx, keys); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
				}
				cachemesh.FlushLog(m.nodes[0])
				lines, want := logs.count("group=usres", "node1", "node2"), 1
				if registered {
					want = 0
				}
				if lines != want || logs.count("usres") != want {
					t.Errorf("%d lines, want %d: %v", lines, want, logs)
				}
				if s := g.Stats(); s.UnknownGroup < 100 {
					t.Errorf("UnknownGroup is %d", s.UnknownGroup)
				}
			})
		})
	}
}
