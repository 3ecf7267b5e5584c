package groups_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestMoreThanTotalBytes: no MaxBytes is so large that it passes for a small one.
func TestMoreThanTotalBytes(t *testing.T) {
	const total = 16 << 20
	n := kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.TotalBytes = total }).Nodes[0]
	for _, own := range []int64{total + 1, total, math.MaxInt64, math.MaxInt64 - total/16 + 1} {
		_, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1, MaxBytes: own})
		if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "MaxBytes" {
			t.Errorf("MaxBytes %d of TotalBytes %d: %v", own, total, err)
		}
	}
}

// TestTotalBytes registers groups beside traffic: those without a MaxBytes share what
// is left, and together they never take more.
func TestTotalBytes(t *testing.T) {
	const total = 16 << 20
	m := kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.TotalBytes = total })
	n, ctx := m.Nodes[0], kit.Context(t)
	load := func(_ context.Context, key string) (string, error) { return fmt.Sprintf("%900s", key), nil }
	before := kit.HeapBytes()
	register := func(name string, maxBytes int64) *cachemesh.Group[string] {
		t.Helper()
		g, err := cachemesh.NewGroup(n, name, load, cachemesh.GroupOptions[string]{MaxBytes: maxBytes, StaleFor: 1e9, TTL: 1e9, FailureTTL: 1e9})
		kit.Must(t, err)
		return g
	}
	var groups []*cachemesh.Group[string]
	fill := func() {
		var all sync.WaitGroup
		used := groups
		for w := range 2 {
			all.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(w), 1))
				for i := range 10_000 {
					key := fmt.Sprint(rng.IntN(20_000))
					g := used[i%len(used)]
					if _, err := g.Get(ctx, key); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		if len(groups) < 5 {
			groups = append(groups[:len(groups):len(groups)], register(fmt.Sprint("beside", len(groups)), 0))
		}
		all.Wait()
	}
	groups = append(groups, register("first", 0))
	if got := groups[0].Stats().MaxBytes; got != total-total/16 {
		t.Errorf("the only group has %d bytes, want all but the default group's 16th of %d", got, total)
	}
	for range 3 {
		fill()
		took, s := kit.HeapBytes()-before, n.Stats()
		t.Logf("%d groups: %d entries in the first, MaxBytes %d, Stats say %d, heap +%d KiB", len(groups), groups[0].Stats().Entries, groups[0].Stats().MaxBytes, s.Bytes, took>>10)
		if s.TotalBytes != total || s.MaxBytes > total || s.MaxBytes < total-8 || s.Bytes > total || took > total*5/4 {
			t.Errorf("%d bytes of %d are given away and %d taken, the heap takes %d", s.MaxBytes, total, s.Bytes, took)
		}
		for _, g := range groups {
			if s := g.Stats(); s.Bytes > s.MaxBytes {
				t.Errorf("a group takes %d bytes of %d", s.Bytes, s.MaxBytes)
			}
		}
	}
	fixed := register("fixed", 8<<20)
	if a, b := fixed.Stats().MaxBytes, groups[0].Stats().MaxBytes; a != 8<<20 || b != (total-total/16-8<<20)/4 {
		t.Errorf("MaxBytes of %d for the group that has its own, %d for each other", a, b)
	}
	for name, maxBytes := range map[string]int64{"too much": 8 << 20, "leaves too little": 7<<20 - 100<<10} {
		_, err := cachemesh.NewGroup(n, name, load, cachemesh.GroupOptions[string]{MaxBytes: maxBytes})
		if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "MaxBytes" {
			t.Errorf("NewGroup of %d bytes: %v, want an OptionError", maxBytes, err)
		}
	}
	share := groups[0].Stats().MaxBytes
	if _, err := cachemesh.NewGroup(n, "first", load, cachemesh.GroupOptions[string]{}); err == nil || groups[0].Stats().MaxBytes != share {
		t.Errorf("NewGroup of a name that is taken: %v, and others have %d of %d bytes", err, groups[0].Stats().MaxBytes, share)
	}
	count := 0
	for ; count < 1000; count++ {
		if _, err := cachemesh.NewGroup(n, fmt.Sprint("more", count), load, cachemesh.GroupOptions[string]{}); err != nil {
			t.Logf("after %d more: %v", count, err)
			break
		}
	}
	if s := n.Stats(); count < 50 || count == 1000 || s.MaxBytes > total {
		t.Errorf("%d more groups, %d bytes given away", count, s.MaxBytes)
	}
	for _, g := range groups {
		_, err := g.Get(ctx, "k")
		kit.Must(t, err)
	}
	runtime.KeepAlive(groups)
}

// TestTotalBytesOfAMap evicts no more than it must for another group.
func TestTotalBytesOfAMap(t *testing.T) {
	m := kit.New(t, 2, func(_ int, o *cachemesh.Options) { o.TotalBytes = 16 << 20 })
	groups := kit.GroupOn[[]byte](m, "map", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1, HotReads: 1})
	const keys = 4000
	ctx := kit.Context(t)
	for i := range keys {
		kit.Must(t, groups[i%2].Set(ctx, fmt.Sprint(i), make([]byte, 1000), 0))
	}
	kit.GroupOn(m, "another", kit.Echo, cachemesh.GroupOptions[string]{})
	kit.GroupOn(m, "its own", kit.Echo, cachemesh.GroupOptions[string]{MaxBytes: 2 << 20})
	for i := range keys {
		for _, g := range groups {
			if v, err := g.Get(ctx, fmt.Sprint(i)); len(v) != 1000 || err != nil {
				t.Fatalf("Get(%d) = %d bytes, %v", i, len(v), err)
			}
		}
	}
}

// TestTotalBytesBoundParking: values of groups that nobody registers take a quarter of
// it at most, and are counted.
func TestTotalBytesBoundParking(t *testing.T) {
	m := kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.TotalBytes = 4 << 20 })
	n, ctx := m.Nodes[0], kit.Context(t)
	list := kit.Packed(1, 0, "key", string(make([]byte, 100<<10)))
	before := kit.HeapBytes()
	for i := range 100 {
		kit.Hand(ctx, n, fmt.Sprint("unknown", i), list)
	}
	if s, took := n.Stats(), kit.HeapBytes()-before; s.ParkedBytes > 1<<20 || s.Parked != 10 || took > 5<<18 {
		t.Errorf("%d values parked, %d bytes, heap +%d, %d lost", s.Parked, s.ParkedBytes, took, s.ParkedLost)
	}
}

// TestClosedGroupsGiveTheirBytesBack: a group that was closed leaves the others its part.
func TestClosedGroupsGiveTheirBytesBack(t *testing.T) {
	m := kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.TotalBytes = 16 << 20 })
	n, ctx := m.Nodes[0], kit.Context(t)
	register := func(name string, maxBytes int64) *cachemesh.Group[string] {
		t.Helper()
		g, err := cachemesh.NewGroup(n, name, kit.Echo, cachemesh.GroupOptions[string]{MaxBytes: maxBytes})
		kit.Must(t, err)
		return g
	}
	stays := register("stays", 0)
	whole := stays.Stats().MaxBytes
	for range 3 {
		for _, maxBytes := range []int64{0, 12 << 20} {
			g := register("goes", maxBytes)
			if left := stays.Stats().MaxBytes; left >= whole {
				t.Errorf("beside another group of %d it has %d bytes, as alone", maxBytes, left)
			}
			kit.MustGet(t, g, "k", "value of k")
			kit.Must(t, g.Close(ctx))
			if left := stays.Stats().MaxBytes; left != whole {
				t.Errorf("it has %d bytes after a group of %d was closed, want %d again", left, maxBytes, whole)
			}
			kit.MustGet(t, stays, "k", "value of k")
		}
	}
}
