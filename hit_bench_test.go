package cachemesh_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/praveenduddu/cachemesh"
)

type place struct {
	Name     string
	Lat, Lon float64
}

// BenchmarkGetOwn measures a hit in the memory of the key's owner.
func BenchmarkGetOwn(b *testing.B) {
	const keys = 10_000
	n, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	if err := n.Start(); err != nil {
		b.Fatal(err)
	}
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprintf("key-%06d", i)
	}
	value := make([]byte, 128)
	raw, err := cachemesh.NewGroup(n, "bytes", func(context.Context, string) ([]byte, error) { return value, nil }, cachemesh.GroupOptions[[]byte]{})
	if err != nil {
		b.Fatal(err)
	}
	typed, err := cachemesh.NewGroup(n, "places", func(_ context.Context, key string) (place, error) { return place{Name: key}, nil }, cachemesh.GroupOptions[place]{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("bytes", func(b *testing.B) { benchmarkGets(b, raw, names) })
	b.Run("struct", func(b *testing.B) { benchmarkGets(b, typed, names) })
}

func benchmarkGets[V any](b *testing.B, g *cachemesh.Group[V], keys []string) {
	ctx := context.Background()
	for _, key := range keys {
		if _, err := g.Get(ctx, key); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := g.Get(ctx, keys[i]); err != nil {
			b.Fatal(err)
		}
		if i++; i == len(keys) {
			i = 0
		}
	}
}
