package copies_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// BenchmarkSet measures a Set of 128 bytes on any of the members, or on one that does not own the key; they
// call each other on the loopback interface, in so many copies.
func BenchmarkSet(b *testing.B) {
	for _, members := range []int{2, 3} {
		for copies := 1; copies <= members; copies++ {
			for _, callers := range []int{1, 64} {
				for _, from := range []string{"any", "elsewhere"} {
					b.Run(fmt.Sprintf("members=%d/copies=%d/callers=%d/from=%s", members, copies, callers, from), func(b *testing.B) {
						benchSet(b, members, copies, callers, from == "any")
					})
				}
			}
		}
	}
}

func benchSet(b *testing.B, members, copies, callers int, fromAny bool) {
	m := kit.NewReal(b, members)
	groups := kit.GroupOn(m, "g", cachemesh.LoaderFunc[[]byte](nil), cachemesh.GroupOptions[[]byte]{Replicas: copies, MaxBytes: 64 << 20, NoHotCopies: true})
	keys, owners := make([]string, 4096), make([]int, 4096)
	for i := range keys {
		keys[i] = fmt.Sprintf("item:%08d", i)
		owners[i] = m.Owner("g", keys[i])
	}
	value := make([]byte, 128)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for i, key := range keys {
		if err := groups[i%members].Set(ctx, key, value, 0); err != nil {
			b.Fatal(err)
		}
	}
	var at atomic.Uint64
	b.SetParallelism(max(callers/2, 1))
	b.ReportAllocs()
	b.ResetTimer()
	set := func(n uint64) {
		key, on := (n*7)%uint64(len(keys)), int(n%uint64(members))
		if on == owners[key] && !fromAny {
			on = (on + 1) % members
		}
		if err := groups[on].Set(ctx, keys[key], value, 0); err != nil {
			b.Error(err)
		}
	}
	if callers == 1 {
		for b.Loop() {
			set(at.Add(1))
		}
		return
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			set(at.Add(1))
		}
	})
}
