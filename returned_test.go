package cachemesh_test

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestMinorityReturns: a member that was cut off holds what it loaded meanwhile. The
// majority has deleted the key since, so from the moment they meet nobody of the
// majority may get the former row of it.
func TestMinorityReturns(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := newMesh(t, 5), newCounted()
		groups := groupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := m.keysOf("g", 4, 20)
		m.net.Partition([]string{hostName(0), hostName(1), hostName(2), hostName(3)}, []string{hostName(4)})
		time.Sleep(12 * time.Second)
		for _, key := range keys {
			tb.Store(ctx, key, "before")
			mustGet(t, groups[4], key, "before")
			tb.Store(ctx, key, "after")
			must(t, groups[0].Delete(ctx, key))
		}
		m.net.Heal()
		old := 0
		for start := time.Now(); time.Since(start) < 12*time.Second; time.Sleep(time.Millisecond) {
			for _, i := range []int{0, 1, 2, 3} {
				got, err := groups[i].Get(ctx, keys[int(time.Since(start)/time.Millisecond)%len(keys)])
				must(t, err)
				if got != "after" {
					old++
				}
			}
		}
		if old > 0 {
			t.Errorf("%d Gets at members of the majority were old", old)
		}
		m.settle(5)
	})
}
