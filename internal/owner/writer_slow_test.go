package owner_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestSlowWriter: the caller's time ends, the write goes on. Hits see the former
// value until it is done, and what misses waits.
func TestSlowWriter(t *testing.T) {
	for owner := range 2 {
		t.Run(fmt.Sprint("owner=node", owner), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, d := kit.New(t, 2), kit.NewDatabase()
				groups := writeThrough(m, d, cachemesh.GroupOptions[string]{})
				keys := m.KeysOf("g", owner, 2)
				kit.Must(t, groups[0].Set(ctx, keys[0], "v1", 0))
				d.Before(func(context.Context, string) error { time.Sleep(time.Second); return nil })
				start := time.Now()
				for _, key := range keys {
					short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
					err := groups[0].Set(short, key, "v2", 0)
					cancel()
					pe, ok := errors.AsType[*cachemesh.PeerError](err)
					if !ok || !pe.MaybeApplied || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Set = %v, want a PeerError with MaybeApplied and DeadlineExceeded", err)
					}
				}
				for _, g := range groups {
					kit.MustGet(t, g, keys[0], "v1")
				}
				if took := time.Since(start); took > 250*time.Millisecond {
					t.Errorf("hits waited for the write: %v", took)
				}
				for _, g := range groups {
					kit.MustGet(t, g, keys[1], "v2")
				}
				if took := time.Since(start); took < time.Second {
					t.Errorf("a miss did not wait for the write: %v", took)
				}
				d.WantEqual(t, groups, keys...)
			})
		})
	}
}

// TestWriterThatIgnoresItsContext commits long after it was given up. What was
// loaded meanwhile is forgotten then.
func TestWriterThatIgnoresItsContext(t *testing.T) {
	for _, how := range []string{"returns", "panics"} {
		t.Run(how, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, d := kit.New(t, 2), kit.NewDatabase()
				groups := writeThrough(m, d, cachemesh.GroupOptions[string]{LoadTimeout: 100 * time.Millisecond, HotReads: 1})
				key := m.KeyOf("g", 0)
				d.Put(key, "v1")
				d.Before(func(context.Context, string) error {
					time.Sleep(5 * time.Second)
					if how == "panics" {
						d.Put(key, "v2")
						panic("after it was committed")
					}
					return nil
				})
				err := groups[1].Set(ctx, key, "v2", 0)
				if _, ok := errors.AsType[*cachemesh.WriteError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Set = %v, want a WriteError with DeadlineExceeded", err)
				}
				for range 5 {
					for _, g := range groups {
						kit.MustGet(t, g, key, "v1")
					}
				}
				time.Sleep(10 * time.Second)
				for _, g := range groups {
					kit.MustGet(t, g, key, "v2")
				}
			})
		})
	}
}
