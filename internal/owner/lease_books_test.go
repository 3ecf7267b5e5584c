package owner_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestBooksOfLeasesStayWithinMaxBytes lets members lease many more keys than a small
// group has room for.
func TestBooksOfLeasesStayWithinMaxBytes(t *testing.T) {
	const budget, count, keys = 1 << 20, 3, 40_000
	m := kit.New(t, 2, func(_ int, o *cachemesh.Options) { o.Lease = 10 * time.Second })
	ctx := kit.Context(t)
	before := kit.HeapBytes()
	var groups [count][]*cachemesh.Group[string]
	for i := range groups {
		groups[i] = kit.GroupOn(m, fmt.Sprint("g", i), kit.Echo, cachemesh.GroupOptions[string]{MaxBytes: budget, HotReads: 1})
		for k := range keys {
			key := fmt.Sprintf("a key of some length %d", k)
			for _, g := range groups[i] {
				_, err := g.Get(ctx, key)
				kit.Must(t, err)
			}
		}
	}
	took := kit.HeapBytes() - before
	var says int64
	for _, pair := range groups {
		for _, g := range pair {
			if b := g.Stats().Bytes; b > budget {
				t.Errorf("Stats.Bytes is %d, MaxBytes %d", b, budget)
			} else {
				says += b
			}
		}
	}
	t.Logf("heap +%.1f MiB, Stats say %.1f, of 6 × 1", float64(took)/(1<<20), float64(says)/(1<<20))
	if took > 2*count*budget*5/4+1<<20 {
		t.Errorf("the heap has grown by %d bytes, the budgets are %d", took, 2*count*budget)
	}
	runtime.KeepAlive(groups)
}
