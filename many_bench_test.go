package cachemesh_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/praveenduddu/cachemesh"
)

// BenchmarkGetMany measures GetMany of 100 keys that three members hold, all in
// this process, over loopback.
func BenchmarkGetMany(b *testing.B) {
	value := make([]byte, 128)
	load := func(context.Context, string) ([]byte, error) { return value, nil }
	var first *cachemesh.Group[[]byte]
	var seeds []string
	for range 3 {
		node := newNode(cachemesh.Options{BootstrapNodes: seeds})
		defer node.Close()
		seeds = []string{node.Addr()}
		g, err := cachemesh.NewGroup(node, "g", load, cachemesh.GroupOptions[[]byte]{NoHotCopies: true})
		if err != nil {
			b.Fatal(err)
		}
		if first == nil {
			first = g
		}
	}
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%06d", i)
	}
	b.ReportAllocs()
	for b.Loop() {
		values, err := first.GetMany(context.Background(), keys)
		if err != nil || len(values) != len(keys) {
			b.Fatal(len(values), err)
		}
	}
}
