package owner_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// conditionals change a value that is there, by what it is.
var conditionals = map[string]func(ctx context.Context, g *cachemesh.Group[int], key string) error{
	"Touch": func(ctx context.Context, g *cachemesh.Group[int], key string) error {
		_, err := g.Touch(ctx, key, time.Hour)
		return err
	},
	"Increment": func(ctx context.Context, g *cachemesh.Group[int], key string) error {
		_, err := cachemesh.Increment(ctx, g, key, 1, time.Hour)
		return err
	},
}

// TestConditionIsOverMidway: a value expires, or the members change, while the copies of what it was to become are on their
// way. The caller is told that the change may be applied, and all members agree afterwards.
func TestConditionIsOverMidway(t *testing.T) {
	for what, change := range conditionals {
		for meanwhile, play := range map[string]func(m *kit.Mesh, reader int){
			"it expires": func(m *kit.Mesh, _ int) { m.Net.SetLatency(50*time.Millisecond, 50*time.Millisecond) },
			"the members change": func(m *kit.Mesh, reader int) { // and the reader's session has to lapse
				m.Net.Pause(kit.Host(reader))
				time.AfterFunc(100*time.Millisecond, func() { kit.Must(m.T, m.Nodes[4].Start()) })
			},
		} {
			t.Run(what+", "+meanwhile, func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m := kit.New(t, 4)
					groups := kit.GroupOn[int](m, "g", nil, cachemesh.GroupOptions[int]{Replicas: 2, HotReads: 1})
					time.Sleep(time.Second) // all have told the others that they have the group
					owner, key, ttl := groups[0], m.KeyOf("g", 0), time.Hour
					if meanwhile == "it expires" {
						ttl = 60 * time.Millisecond
					}
					kit.Must(t, owner.Set(ctx, key, 7, ttl))
					reader := 1 // of a hot copy
					for groups[reader].Stats().Entries > 0 {
						reader++ // that has a copy already
					}
					kit.MustGet(t, groups[reader], key, 7)
					m.Nodes = append(m.Nodes, m.NewNode(4))
					_, err := cachemesh.NewGroup[int](m.Nodes[4], "g", nil, cachemesh.GroupOptions[int]{Replicas: 2})
					kit.Must(t, err)
					play(m, reader)
					err = change(ctx, owner, key)
					pe, ok := errors.AsType[*cachemesh.PeerError](err)
					if !ok || !pe.MaybeApplied || !errors.Is(err, cachemesh.ErrFewCopies) {
						t.Fatalf("%v, want a PeerError with ErrFewCopies and MaybeApplied", err)
					}
					m.Net.SetLatency(0, 0)
					m.Net.Resume(kit.Host(reader))
					time.Sleep(10 * time.Second)
					v, err := owner.Get(ctx, key)
					if err != nil && !errors.Is(err, cachemesh.ErrNotFound) {
						t.Fatal(err)
					}
					for i, g := range groups {
						if got, other := g.Get(ctx, key); got != v || (other == nil) != (err == nil) {
							t.Errorf("node%d has %d, %v; the owner %d, %v", i, got, other, v, err)
						}
					}
					if err == nil {
						kit.Must(t, change(ctx, owner, key))
					}
				})
			})
		}
	}
}
