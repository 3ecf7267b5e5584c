package serve_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestValuesAroundTheLimit loads values a little below and above what may cross the wire.
// A value that is too large for it is no fault of anybody: whoever loads it, a Delete is
// seen by all, and a Get costs the owner's load and the caller's own at most.
func TestValuesAroundTheLimit(t *testing.T) {
	const limit, slack = 64 << 10, 1 << 20 // what httppool allows beyond the limit, for lists
	for _, test := range []struct {
		name        string
		max, size   int
		hot, writes bool
	}{
		{"just under", limit, limit - 1, false, false},
		{"equal", limit, limit, true, false},
		{"one byte over", limit, limit + 1, false, false},
		{"one byte over, hot", limit, limit + 1, true, false},
		{"equal to a frame's limit", limit, limit + slack, false, false},
		{"one byte over a frame's limit", limit, limit + slack + 1, false, false},
		{"far over, hot", limit, limit + 2*slack, true, false},
		{"far over, through a Writer", limit, limit + 2*slack, false, true},
		{"17 MiB by default", 0, 17 << 20, false, false},
		{"18 MiB by default", 0, 18 << 20, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.MaxValueBytes = test.max })
				var version atomic.Uint32
				var loads atomic.Int64
				o := cachemesh.GroupOptions[[]byte]{MaxBytes: 256 << 20, HotReads: 1000}
				if test.hot {
					o.HotReads = 1
				}
				if test.writes {
					o.Writer = anyWriter{}
				}
				g := kit.GroupOn(m, "g", func(context.Context, string) ([]byte, error) {
					loads.Add(1)
					b := make([]byte, test.size)
					b[0] = byte(version.Load())
					return b, nil
				}, o)
				old, most := 0, int64(0)
				for owner := range 3 {
					key := m.KeyOf("g", owner)
					for round := range 2 {
						version.Add(1)
						kit.Must(t, g[(owner+1)%3].Delete(ctx, key))
						for i := range g {
							before := loads.Load()
							v, err := g[(owner+i+round)%3].Get(ctx, key)
							most = max(most, loads.Load()-before)
							if err != nil || len(v) != test.size {
								t.Fatalf("Get = %d bytes, %v, want %d", len(v), err, test.size)
							}
							if v[0] != byte(version.Load()) {
								old++
							}
						}
					}
				}
				t.Logf("%d of 18 reads old; at most %d loads for a Get", old, most)
				if old > 0 {
					t.Errorf("%d of 18 reads were old", old)
				}
				if most > 2 {
					t.Errorf("a Get cost %d loads, want at most 2", most)
				}
			})
		})
	}
}

// TestSetAroundTheLimit: a Set of a value that is too large changes nothing.
func TestSetAroundTheLimit(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const limit = 4 << 10
		m := kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.MaxValueBytes = limit })
		g := kit.GroupOn[[]byte](m, "g", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1})
		for owner := range g {
			key := m.KeyOf("g", owner)
			kept := 0
			for _, size := range []int{limit - 1, limit, limit + 1, limit << 10} {
				err := g[0].Set(ctx, key, make([]byte, size), 0)
				if (err == nil) != (size <= limit) {
					t.Errorf("Set of %d bytes at a limit of %d: %v", size, limit, err)
				}
				if err == nil {
					kept = size
				}
				for i := range g {
					if v, err := g[i].Get(ctx, key); err != nil || len(v) != kept {
						t.Error(fmt.Sprint("node", i), len(v), err)
					}
				}
			}
		}
	})
}

type anyWriter struct{}

func (anyWriter) Store(context.Context, string, []byte) error { return nil }
func (anyWriter) Delete(context.Context, string) error        { return nil }
