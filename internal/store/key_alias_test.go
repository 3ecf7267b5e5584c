package store_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestKeysAreCopied uses keys that are parts of large strings in every way in which
// the cache keeps one: the large strings are free afterwards.
func TestKeysAreCopied(t *testing.T) {
	if kit.Race {
		t.Skip("counts bytes of the heap")
	}
	const large, each = 1 << 20, 24
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		opts := cachemesh.GroupOptions[string]{}
		loading := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) {
			if strings.HasPrefix(key, "none") {
				return "", cachemesh.ErrNotFound
			}
			return "v", nil
		}, cachemesh.GroupOptions[string]{NotFoundTTL: cachemesh.Forever})
		many := kit.GroupOn(m, "many", nil, cachemesh.GroupOptions[string]{LoadMany: func(_ context.Context, keys []string) (map[string]string, error) {
			values := make(map[string]string)
			for _, key := range keys {
				values[key] = "v"
			}
			return values, nil
		}})
		plain := kit.GroupOn(m, "g2", nil, opts)
		kept := []*cachemesh.Group[string]{loading[0], many[0], plain[0]}
		ways := map[string]func(key string){
			"Get": func(key string) { loading[0].Get(ctx, key) },
			"hot": func(key string) {
				for range 5 {
					loading[0].Get(ctx, key)
				}
			},
			"none":    func(key string) { loading[0].Get(ctx, "none"); loading[0].Get(ctx, key) },
			"GetMany": func(key string) { loading[0].GetMany(ctx, []string{key}) },
			"many":    func(key string) { many[0].GetMany(ctx, []string{key}); many[0].Get(ctx, key+"x") },
			"Set":     func(key string) { plain[0].Set(ctx, key, "v", 0) },
			"Delete":  func(key string) { plain[0].Delete(ctx, key) },
		}
		for way, use := range ways {
			before := kit.HeapBytes()
			for i := range each {
				prefix := fmt.Sprintf("%s%03d", way, i)
				whole := prefix + strings.Repeat("x", large)
				use(whole[:len(prefix)])
			}
			if grown := kit.HeapBytes() - before; grown > each*large/8 {
				t.Errorf("%s: %d keys keep %d bytes", way, each, grown)
			}
		}
		runtime.KeepAlive(kept)
	})
}
