package hotcache_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

var ratioReads = flag.Int("ratioreads", 40_000, "reads of TestCopiesCostNoLoads, for each figure; with more than a million for more sizes of copies")

// ratioCopies are parts of the budget.
func ratioCopies() []int64 {
	if *ratioReads > 1_000_000 {
		return []int64{32, 16, 8, 4, 2}
	}
	return []int64{8}
}

// TestCopiesCostNoLoads: owners do not hear of hits of copies elsewhere, and must not lose what is read
// there. Three members with room for a part of the keys read with Zipf frequencies; how much of that they load is compared with a mesh
// without copies.
func TestCopiesCostNoLoads(t *testing.T) {
	for _, budget := range []int64{256 << 10, 512 << 10} {
		whole, _ := loadsOf(t, cachemesh.GroupOptions[string]{MaxBytes: budget, NoHotCopies: true})
		for _, copies := range ratioCopies() {
			copies = budget / copies
			without, _ := loadsOf(t, cachemesh.GroupOptions[string]{MaxBytes: budget - copies, NoHotCopies: true})
			loads, own := loadsOf(t, cachemesh.GroupOptions[string]{MaxBytes: budget, CopyBytes: copies})
			t.Logf("MaxBytes %d KiB, CopyBytes %d KiB: %.2f%% loaded, %.2f%% by stores as large without copies, %.2f%% by larger ones; %.1f%% answered at home",
				budget>>10, copies>>10, 100*loads, 100*without, 100*whole, 100*own)
			if loads > without+0.003 {
				t.Errorf("MaxBytes %d: %.4f of reads are loads, %.4f without copies", budget, loads, without)
			}
		}
	}
}

func loadsOf(t *testing.T, o cachemesh.GroupOptions[string]) (loads, own float64) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		groups := kit.GroupOn(m, "g", kit.Echo, o)
		rng := rand.New(rand.NewPCG(1, 2))
		zipf := rand.NewZipf(rng, 1.01, 1, 19_999)
		read := func(n int) {
			for i := range n {
				key := fmt.Sprint("key ", zipf.Uint64())
				if _, err := groups[rng.IntN(3)].Get(ctx, key); err != nil {
					t.Fatal(err)
				}
				if i%10 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		}
		count := func() (gets, loads, own uint64) {
			for _, g := range groups {
				s := g.Stats()
				gets, loads, own = gets+s.Gets, loads+s.Loads, own+s.OwnHits+s.HotHits
			}
			return gets, loads, own
		}
		read(*ratioReads / 2)
		gets, had, hits := count()
		read(*ratioReads / 2)
		gets2, had2, hits2 := count()
		loads = float64(had2-had) / float64(gets2-gets)
		own = float64(hits2-hits) / float64(gets2-gets)
	})
	return loads, own
}
