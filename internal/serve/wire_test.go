package serve_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestWriteBehindASuspendedHolder: a member with a hot copy is suspended. A write
// waits until its lease has lapsed; if the caller cannot wait as long, the error
// says that the write may be applied, wherever the caller is, and it is.
func TestWriteBehindASuspendedHolder(t *testing.T) {
	for _, from := range []string{"owner", "peer"} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m := kit.New(t, 3)
			groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
			key := m.KeyOf("g", 0)
			writer := groups[map[string]int{"owner": 0, "peer": 2}[from]]
			kit.Must(t, writer.Set(ctx, key, "one", 0))
			hot := func() {
				t.Helper()
				before := groups[1].Stats().HotHits
				for range 6 {
					time.Sleep(200 * time.Millisecond) // once its session was broken, the owner calls it first
					_, err := groups[1].Get(ctx, key)
					kit.Must(t, err)
				}
				if groups[1].Stats().HotHits == before {
					t.Fatal("no hot copy: the test tests nothing")
				}
			}
			hot()
			m.Net.Pause(kit.Host(1))
			start := time.Now()
			kit.Must(t, writer.Set(ctx, key, "two", 0))
			if took := time.Since(start); took < 500*time.Millisecond || took > 1400*time.Millisecond {
				t.Errorf("Set from the %s behind a suspended holder took %v, want the rest of a session of 1s", from, took)
			}
			kit.MustGet(t, writer, key, "two")
			m.Net.Resume(kit.Host(1))
			m.Settle(3)
			kit.MustGet(t, groups[1], key, "two")

			hot()
			m.Net.Pause(kit.Host(1))
			short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
			err := writer.Set(short, key, "three", 0)
			pe, ok := errors.AsType[*cachemesh.PeerError](err)
			if !ok || !pe.MaybeApplied || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Set from the %s with 300ms: %v, want a PeerError that may have been applied", from, err)
			}
			time.Sleep(time.Second)
			kit.MustGet(t, groups[0], key, "three")
			m.Net.Resume(kit.Host(1))
		})
	}
}

// TestSetThatCannotBeSent: its error says that nothing was applied.
func TestSetThatCannotBeSent(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		key := m.KeyOf("g", 1)
		m.Net.Kill(kit.Host(1))
		synctest.Wait() // until the connection's loss is noticed: a request sent on it may have been applied
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		err := groups[0].Set(short, key, "v", 0)
		if pe, ok := errors.AsType[*cachemesh.PeerError](err); !ok || pe.MaybeApplied || pe.Op != "set" || pe.Member != "node1" {
			t.Errorf("Set: %v (%T), want a PeerError of node1, not applied", err, err)
		}
		// With more time the dead member's keys get another owner, and the write succeeds.
		start := time.Now()
		kit.Must(t, groups[0].Set(ctx, key, "v", 0))
		kit.MustGet(t, groups[0], key, "v")
		t.Logf("a Set for a crashed owner succeeded after %v", time.Since(start)+300*time.Millisecond)
	})
}
