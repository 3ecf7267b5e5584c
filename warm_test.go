package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestWarm loads 5 000 keys from one member into the memory of their owners.
func TestWarm(t *testing.T) {
	for _, batched := range []bool{false, true} {
		t.Run(fmt.Sprint("LoadMany=", batched), func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) { warm(t, ctx, batched) })
		})
	}
}

func warm(t *testing.T, ctx context.Context, batched bool) {
	m, b := newMesh(t, 3), &bulk{takes: time.Millisecond}
	var inside crowd
	o := cachemesh.GroupOptions[string]{}
	if batched {
		o.LoadMany = b.loadMany
	}
	groups := groupOn(m, "g", func(ctx context.Context, key string) (string, error) {
		inside.enter()
		defer inside.leave()
		switch {
		case strings.HasPrefix(key, "missing"):
			b.note(key)
			return "", cachemesh.ErrNotFound
		case strings.HasPrefix(key, "bad"):
			b.note(key)
			return "", errSentinel
		}
		return b.load(ctx, key)
	}, o)
	keys := append(numbered("key", 4900), numbered("missing", 100)...)
	failing := 0
	if !batched {
		keys = append(keys, numbered("bad", 50)...)
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
	b.wantOnce(t, len(keys))
	t.Logf("%d keys: %d calls of LoadMany, %d single loads, at most %d at once, progress told %d times",
		len(keys), len(b.calls), len(b.singles), inside.most.Load(), calls)
	if inside.most.Load() > 64*3*4 {
		t.Errorf("%d loads at once", inside.most.Load())
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
			mustGet(t, g, key, "value of "+key)
		}
		if i == 0 {
			b.wantOnce(t, len(keys))
		}
	}
}

func TestWarmEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, b := newMesh(t, 2), &bulk{takes: time.Second}
		g := groupOn(m, "g", b.load, cachemesh.GroupOptions[string]{})[0]
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
