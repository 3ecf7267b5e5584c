package copies_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A write is on its way to a holder, and the link breaks: a relay is asked, which is slow. Who calls with less time than
// that is told when it is over that the write may be applied, and the write goes on.
func TestCallerLeavesWhileARelayIsAsked(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		groups := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 2, NoHotCopies: true})
		var key string
		for _, k := range m.KeysOf("g", 0, 50) { // one whose copy is at node1
			kit.Must(t, groups[0].Set(ctx, k, "v1", 0))
			if groups[1].Stats().Entries == 1 {
				key = k
				break
			}
			kit.Must(t, groups[0].Delete(ctx, k))
			time.Sleep(time.Second)
		}
		m.Net.SetLatency(25*time.Millisecond, 25*time.Millisecond)

		const left = 60 * time.Millisecond
		short, cancel := context.WithTimeout(ctx, left)
		defer cancel()
		start := time.Now()
		time.AfterFunc(10*time.Millisecond, func() {
			m.Net.RefuseStreams(kit.Host(0), kit.Host(1))
			m.Net.RefuseStreams(kit.Host(1), kit.Host(0))
		})
		err := groups[0].Set(short, key, "v2", 0)
		if took := time.Since(start); took > left {
			t.Errorf("the caller was told after %v, want %v", took, left)
		}
		if pe, ok := errors.AsType[*cachemesh.PeerError](err); !ok || !pe.MaybeApplied || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Set = %v, want a PeerError with MaybeApplied and DeadlineExceeded", err)
		}
		time.Sleep(5 * time.Second)
		for _, g := range groups {
			kit.MustGet(t, g, key, "v2")
		}
	})
}
