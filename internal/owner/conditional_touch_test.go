package owner_test

import (
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestTouchAndMeta: the time of a value changes, and it does not.
func TestTouchAndMeta(t *testing.T) {
	onThree(t, nil, cachemesh.GroupOptions[string]{}, func(t *testing.T, c *cachemeshtest.Cluster, g func(int) *cachemesh.Group[string]) {
		ctx := t.Context()
		for i, key := range kit.Numbered("key", 9) {
			g := g(i % 3)
			if ok, err := g.Touch(ctx, key, time.Hour); ok || err != nil {
				t.Errorf("touched nothing: %t, %v", ok, err)
			}
			if _, err := g.Meta(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Error(err)
			}
			g.Set(ctx, key, "v", time.Minute)
			time.Sleep(10 * time.Second)
			m, err := g.Meta(ctx, key)
			near := func(got, want time.Duration) bool { return got > want-time.Second && got <= want+time.Second }
			if err != nil || !near(m.TTL, 50*time.Second) || !near(m.Age, 10*time.Second) || m.Size < 100 || m.Owner == "" {
				t.Errorf("%+v, %v", m, err)
			}
			for _, ttl := range []time.Duration{time.Hour, 30 * time.Second, cachemesh.Forever} {
				if ok, err := g.Touch(ctx, key, ttl); !ok || err != nil {
					t.Errorf("%t, %v", ok, err)
				}
				if m, _ := g.Meta(ctx, key); ttl == cachemesh.Forever && m.TTL != ttl || ttl != cachemesh.Forever && !near(m.TTL, ttl) {
					t.Errorf("%v left of %v", m.TTL, ttl)
				}
			}
			g.Touch(ctx, key, time.Minute)
			if _, err := g.SetIf(ctx, key, "w", cachemesh.KeepTTL, cachemesh.Condition{}); err != nil {
				t.Error(err)
			}
			if item, _ := g.Item(ctx, key); item.Value != "w" || !near(item.TTL, time.Minute) {
				t.Errorf("%+v", item)
			}
			g.Touch(ctx, key, time.Second)
			time.Sleep(2 * time.Second)
			if _, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Error(err)
			}
		}
	})
}

// TestShorterTouchReachesCopies: a copy that another member holds does not outlive the time
// that its value was given.
func TestShorterTouchReachesCopies(t *testing.T) {
	onThree(t, nil, cachemesh.GroupOptions[string]{}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[string]) {
		ctx := t.Context()
		for _, key := range kit.Numbered("key", 9) {
			g(0).Set(ctx, key, "v", time.Hour)
			for i := range 60 {
				g(i%3).Get(ctx, key)
			}
			g(1).Touch(ctx, key, 20*time.Millisecond)
			time.Sleep(21 * time.Millisecond)
			for i := range 3 {
				if v, err := g(i).Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
					t.Errorf("member %d: %q, %v", i, v, err)
				}
			}
		}
	})
}
