package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

func TestBytesStayWithinMaxBytes(t *testing.T) {
	m := kit.New(t, 2)
	const budget = 256 << 10
	var most atomic.Int64
	groups := kit.GroupOn(m, "g", func(_ context.Context, key string) ([]byte, error) {
		return make([]byte, 100+len(key)*50), nil
	}, cachemesh.GroupOptions[[]byte]{MaxBytes: budget, HotReads: 1})
	ctx, cancel := context.WithCancel(kit.Context(t))
	defer cancel()
	var sampler, work sync.WaitGroup
	for _, g := range groups {
		sampler.Go(func() {
			for ctx.Err() == nil {
				b := g.Stats().Bytes
				if b > budget {
					t.Errorf("Stats.Bytes = %d, above MaxBytes = %d", b, budget)
					return
				}
				most.Store(max(most.Load(), b))
				kit.Pause(ctx, 100*time.Microsecond)
			}
		})
	}
	for w := range 4 {
		work.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 1))
			for range 5000 {
				key, g := fmt.Sprint("key", rng.IntN(2000)), groups[rng.IntN(2)]
				var err error
				switch rng.IntN(4) {
				case 0:
					err = g.Set(ctx, key, make([]byte, rng.IntN(4000)), 0)
				case 1:
					err = g.Delete(ctx, key)
				default:
					_, err = g.Get(ctx, key)
				}
				if err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	cancel()
	sampler.Wait()
	t.Logf("at most %d of %d bytes", most.Load(), budget)
}

func TestTooLargeChangesNothing(t *testing.T) {
	m := kit.New(t, 2, func(_ int, o *cachemesh.Options) { o.MaxValueBytes = 1 << 20 })
	// One entry may take a part of MaxBytes, and MaxValueBytes on the way.
	small := kit.GroupOn[[]byte](m, "small", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1, MaxBytes: 1 << 20})
	large := kit.GroupOn[[]byte](m, "large", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1, MaxBytes: 256 << 20})
	for name, groups := range map[string][]*cachemesh.Group[[]byte]{"small": small, "large": large} {
		for owner := range 2 {
			keys := m.KeysOf(name, owner, 100)
			for i, g := range groups {
				t.Run(fmt.Sprintf("%s group, owner node%d, on node%d", name, owner, i), func(t *testing.T) {
					ctx := kit.Context(t)
					for _, key := range keys {
						kit.Must(t, g.Set(ctx, key, []byte("old"), 0))
					}
					if err := g.Set(ctx, keys[0], make([]byte, 1<<20+1), 0); !errors.Is(err, cachemesh.ErrTooLarge) {
						t.Errorf("Set of 1 MiB and a byte: %v, want ErrTooLarge", err)
					}
					// This one is refused by the owner's store, which keeps what it has.
					if err := g.Set(ctx, keys[0], make([]byte, 200<<10), 0); name == "small" && !errors.Is(err, cachemesh.ErrTooLarge) {
						t.Errorf("Set of 200 KiB: %v, want ErrTooLarge", err)
					} else if name == "large" {
						kit.Must(t, err)
						kit.Must(t, g.Set(ctx, keys[0], []byte("old"), 0))
					}
					for _, reader := range groups {
						for _, key := range keys {
							if v, err := reader.Get(ctx, key); string(v) != "old" || err != nil {
								t.Fatalf("Get(%q) after it = %q, %v", key, v, err)
							}
						}
					}
				})
			}
		}
	}
	if err := large[0].Set(kit.Context(t), m.KeyOf("large", 1), make([]byte, 1<<20), 0); err != nil {
		t.Errorf("Set of exactly MaxValueBytes: %v", err)
	}
}

func TestLoadedValueThatIsTooLargeToKeep(t *testing.T) {
	m := kit.New(t, 2)
	groups := kit.GroupOn(m, "g", func(context.Context, string) ([]byte, error) { return make([]byte, 1<<20), nil },
		cachemesh.GroupOptions[[]byte]{MaxBytes: 1 << 20})
	for _, g := range groups {
		if v, err := g.Get(kit.Context(t), "k"); len(v) != 1<<20 || err != nil {
			t.Errorf("Get = %d bytes, %v", len(v), err)
		}
	}
	if a, b := groups[0].Stats(), groups[1].Stats(); a.TooLarge+b.TooLarge != 2 || a.Entries+b.Entries != 0 {
		t.Errorf("TooLarge %d, entries %d, want 2 and 0", a.TooLarge+b.TooLarge, a.Entries+b.Entries)
	}
}
