package hotcache_test

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestHotCopyStays: a key that is read all the time is fetched once, and no reader waits for it after
// the first.
func TestHotCopyStays(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 1)
		reader := groups[0]
		const reads = 2000
		for range reads {
			kit.MustGet(t, reader, key, "value of "+key)
			time.Sleep(10 * time.Millisecond)
		}
		s := reader.Stats()
		misses := s.Gets - s.HotHits - s.OwnHits
		t.Logf("%d reads in 20 s: %d calls to the owner, %d reads waited", reads, s.PeerCalls, misses)
		if s.PeerCalls > 1 || misses > 1 {
			t.Errorf("%d Gets asked the owner and %d waited, want one", s.PeerCalls, misses)
		}
	})
}
