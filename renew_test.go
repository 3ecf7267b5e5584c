package cachemesh_test

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestHotCopyStays: a key that is read all the time is fetched once a lease, and
// no reader waits for it after the first ones.
func TestHotCopyStays(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 2)
		groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
		key := m.keyOf("g", 1)
		reader := groups[0]
		const reads = 2000
		for range reads {
			mustGet(t, reader, key, "value of "+key)
			time.Sleep(10 * time.Millisecond)
		}
		s := reader.Stats()
		misses := s.Gets - s.HotHits - s.OwnHits
		t.Logf("%d reads in 20 s: %d calls to the owner, %d reads waited", reads, s.PeerCalls, misses)
		if s.PeerCalls > 40 || misses > 8 {
			t.Errorf("%d calls and %d waits, want about one call a lease and a few waits", s.PeerCalls, misses)
		}
	})
}
