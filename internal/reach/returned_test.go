package reach_test

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestMinorityReturns: a member that was cut off holds what it loaded meanwhile. The
// majority has deleted the key since, so from the moment they meet nobody of the
// majority may get the former row of it.
func TestMinorityReturns(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := kit.New(t, 5), newCounted()
		groups := kit.GroupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{HotReads: 1})
		keys := m.KeysOf("g", 4, 20)
		m.Net.Partition([]string{kit.Host(0), kit.Host(1), kit.Host(2), kit.Host(3)}, []string{kit.Host(4)})
		time.Sleep(12 * time.Second)
		for _, key := range keys {
			tb.Store(ctx, key, "before")
			kit.MustGet(t, groups[4], key, "before")
			tb.Store(ctx, key, "after")
			kit.Must(t, groups[0].Delete(ctx, key))
		}
		// One that met this member first, and is not in its view yet, knows better.
		resp := kit.Ask(ctx, m.Nodes[4], httppool.Request{Op: wire.OpGet, Group: "g", Key: keys[0]})
		if resp.Status != wire.StatusUnsettled || len(resp.Value) > 0 {
			t.Errorf("a peer of another view is answered status %d, value %q; want %d", resp.Status, resp.Value, wire.StatusUnsettled)
		}
		m.Net.Heal()
		old := 0
		for start := time.Now(); time.Since(start) < 12*time.Second; time.Sleep(time.Millisecond) {
			for _, i := range []int{0, 1, 2, 3} {
				got, err := groups[i].Get(ctx, keys[int(time.Since(start)/time.Millisecond)%len(keys)])
				kit.Must(t, err)
				if got != "after" {
					old++
				}
			}
		}
		if old > 0 {
			t.Errorf("%d Gets at members of the majority were old", old)
		}
		m.Settle(5)
	})
}
