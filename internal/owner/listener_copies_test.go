package owner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// The owner tells of each value that goes, once: nobody tells when a copy does, or becomes the
// value, or is dropped for want of need.
func TestOnRemoveOfCopies(t *testing.T) {
	for _, copies := range []int{2, 3} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m, h := kit.New(t, 4), new(heard)
			opts := copiedTags(copies)
			opts.OnRemove = h.hear
			groups := kit.GroupOn[string](m, "g", nil, opts)
			time.Sleep(time.Second)
			for owner := range 4 {
				everyCause(t, ctx, groups[0], m.KeyOf("g", owner), h)
			}
			keys := kit.Numbered("key", 100)
			for i, key := range keys {
				kit.Must(t, groups[i%4].Set(ctx, key, "v#a", time.Hour))
			}
			kit.Must(t, m.Nodes[1].Shutdown(ctx))
			m.Nodes[1] = nil
			m.Settle(3)
			m.Kill(2)
			m.Settle(2)
			for _, key := range keys {
				kit.MustGet(t, groups[0], key, "v#a")
			}
			time.Sleep(10 * time.Second) // until all have their copies again, and what need not be is gone
			if got := h.take(); len(got) > 0 {
				t.Errorf("told of %v where members came and went", got)
			}
			for i, key := range keys[:50] {
				if i%2 == 0 {
					kit.Must(t, groups[3].Delete(ctx, key))
				} else {
					kit.Must(t, groups[0].Set(ctx, key, "w", 0))
				}
			}
			kit.Must(t, groups[0].DeleteTag(ctx, "a"))
			got := h.take()
			for i, key := range keys {
				want := "tagged"
				if i < 50 && i%2 == 0 {
					want = "deleted"
				} else if i < 50 {
					want = "replaced"
				}
				if got[key+" "+want] != 1 {
					t.Errorf("%s %s was told %d times", key, want, got[key+" "+want])
				}
			}
			if got["tagged"] != 50 || got["deleted"] != 25 || got["replaced"] != 25 {
				t.Errorf("told of %d, %d and %d", got["tagged"], got["deleted"], got["replaced"])
			}
		})
	}
}

// What its owner gives up is told of, by the owner; a copy that a holder gives up is not.
func TestOnRemoveOfCopiesEvicted(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		told := []*heard{new(heard), new(heard)}
		var groups []*cachemesh.Group[string]
		for i, n := range m.Nodes {
			opts := cachemesh.GroupOptions[string]{Replicas: 2, MaxBytes: 64 << 10 << (10 * i), OnRemove: told[i].hear}
			g, err := cachemesh.NewGroup[string](n, "g", nil, opts)
			kit.Must(t, err)
			groups = append(groups, g)
		}
		time.Sleep(time.Second)
		for _, key := range m.KeysOf("g", 0, 500) {
			kit.Must(t, groups[0].Set(ctx, key, strings.Repeat("x", 100), 0))
		}
		time.Sleep(10 * time.Second)
		s, got := groups[0].Stats(), told[0].take()
		if got["evicted"] != int(s.Evictions) || s.Evictions == 0 {
			t.Errorf("%d evictions, told of %v", s.Evictions, got["evicted"])
		}
		kit.Must(t, groups[0].Clear(ctx))
		told[0].take()
		if got := told[1].take(); len(got) > 0 {
			t.Errorf("the holder told of %d", got["evicted"]+got["cleared"])
		}
		for _, key := range m.KeysOf("g", 1, 500) { // of which the small one evicts copies
			kit.Must(t, groups[0].Set(ctx, key, strings.Repeat("x", 100), 0))
		}
		if s := groups[0].Stats(); s.Evictions == 0 || len(told[0].take()) > 0 || len(told[1].take()) > 0 {
			t.Errorf("%d copies evicted, and that was told", s.Evictions)
		}
	})
}
