package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestWarm loads 5 000 keys from one member into the memory of their owners.
func TestWarm(t *testing.T) {
	for _, batched := range []bool{false, true} {
		t.Run(fmt.Sprint("LoadMany=", batched), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) { warm(t, ctx, batched) })
		})
	}
}

func warm(t *testing.T, ctx context.Context, batched bool) {
	m, b := kit.New(t, 3), &kit.Bulk{Takes: time.Millisecond}
	var inside kit.Crowd
	o := cachemesh.GroupOptions[string]{}
	if batched {
		o.LoadMany = b.LoadMany
	}
	groups := kit.GroupOn(m, "g", func(ctx context.Context, key string) (string, error) {
		inside.Enter()
		defer inside.Leave()
		switch {
		case strings.HasPrefix(key, "missing"):
			b.Note(key)
			return "", cachemesh.ErrNotFound
		case strings.HasPrefix(key, "bad"):
			b.Note(key)
			return "", kit.ErrOrigin
		}
		return b.Load(ctx, key)
	}, o)
	keys := append(kit.Numbered("key", 4900), kit.Numbered("missing", 100)...)
	failing := 0
	if !batched {
		keys = append(keys, kit.Numbered("bad", 50)...)
		failing = 50
	}
	last, calls := [2]int{}, 0
	err := groups[0].Warm(ctx, slices.Values(keys), func(done, failed int) {
		if done+failed <= last[0]+last[1] {
			t.Errorf("progress goes from %v to %d, %d", last, done, failed)
		}
		last = [2]int{done, failed}
		calls++
	})
	if err != nil || last != [2]int{5000, failing} || calls < 10 {
		t.Errorf("Warm = %v, progress %v in %d calls, want 5000 and %d", err, last, calls, failing)
	}
	b.WantOnce(t, len(keys))
	t.Logf("%d keys: %d calls of LoadMany, %d single loads, at most %d at once, progress told %d times",
		len(keys), len(b.Calls), len(b.Singles), inside.Most.Load(), calls)
	if inside.Most.Load() > 64*3*4 {
		t.Errorf("%d loads at once", inside.Most.Load())
	}
	entries := int64(0)
	for _, g := range groups {
		s := g.Stats()
		entries += s.Entries
		if s.Gets != 0 || s.PeerHits != 0 || s.Entries < 1000 {
			t.Errorf("after Warm: %d Gets, %d peer hits, %d entries", s.Gets, s.PeerHits, s.Entries)
		}
	}
	if entries != 4900 {
		t.Errorf("%d entries, want 4900", entries)
	}
	for i, g := range groups {
		for _, key := range keys[:200] {
			kit.MustGet(t, g, key, "value of "+key)
		}
		if i == 0 {
			b.WantOnce(t, len(keys))
		}
	}
}

func TestWarmEndsWithItsContext(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, b := kit.New(t, 2), &kit.Bulk{Takes: time.Second}
		g := kit.GroupOn(m, "g", b.Load, cachemesh.GroupOptions[string]{})[0]
		short, cancel := context.WithTimeout(ctx, 2500*time.Millisecond)
		defer cancel()
		start, asked := time.Now(), 0
		endless := func(yield func(string) bool) {
			for ; yield(fmt.Sprint("key", asked)); asked++ {
			}
		}
		if err := g.Warm(short, endless, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Warm = %v", err)
		}
		if took := time.Since(start); took > 3*time.Second || asked > 10_000 {
			t.Errorf("it ended after %v and took %d keys from an endless sequence", took, asked)
		}
		if err := g.Warm(ctx, slices.Values([]string(nil)), nil); err != nil {
			t.Errorf("Warm of nothing = %v", err)
		}
	})
}
