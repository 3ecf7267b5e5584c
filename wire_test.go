package cachemesh_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestWriteBehindASuspendedHolder: a member with a hot copy is suspended. A write
// waits until its lease has lapsed; if the caller cannot wait as long, the error
// says that the write may be applied, wherever the caller is, and it is.
func TestWriteBehindASuspendedHolder(t *testing.T) {
	for _, from := range []string{"owner", "peer"} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			m := newMesh(t, 3)
			groups := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
			key := m.keyOf("g", 0)
			writer := groups[map[string]int{"owner": 0, "peer": 2}[from]]
			must(t, writer.Set(ctx, key, "one", 0))
			hot := func() {
				t.Helper()
				before := groups[1].Stats().HotHits
				for range 6 {
					_, err := groups[1].Get(ctx, key)
					must(t, err)
				}
				if groups[1].Stats().HotHits == before {
					t.Fatal("no hot copy: the test tests nothing")
				}
			}
			hot()
			m.net.Pause(hostName(1))
			start := time.Now()
			must(t, writer.Set(ctx, key, "two", 0))
			if took := time.Since(start); took < 500*time.Millisecond || took > 1100*time.Millisecond {
				t.Errorf("Set from the %s behind a suspended holder took %v, want the rest of a lease of 1s", from, took)
			}
			mustGet(t, writer, key, "two")
			m.net.Resume(hostName(1))
			m.settle(3)
			mustGet(t, groups[1], key, "two")

			hot()
			m.net.Pause(hostName(1))
			short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
			err := writer.Set(short, key, "three", 0)
			pe, ok := errors.AsType[*cachemesh.PeerError](err)
			if !ok || !pe.MaybeApplied || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Set from the %s with 300ms: %v, want a PeerError that may have been applied", from, err)
			}
			time.Sleep(time.Second)
			mustGet(t, groups[0], key, "three")
			m.net.Resume(hostName(1))
		})
	}
}

// TestSetThatCannotBeSent: its error says that nothing was applied.
func TestSetThatCannotBeSent(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 2)
		groups := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
		key := m.keyOf("g", 1)
		m.net.Kill(hostName(1))
		synctest.Wait() // until the connection's loss is noticed: a request sent on it may have been applied
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		err := groups[0].Set(short, key, "v", 0)
		if pe, ok := errors.AsType[*cachemesh.PeerError](err); !ok || pe.MaybeApplied || pe.Op != "set" || pe.Member != "node1" {
			t.Errorf("Set: %v (%T), want a PeerError of node1, not applied", err, err)
		}
		// With more time the dead member's keys get another owner, and the write succeeds.
		start := time.Now()
		must(t, groups[0].Set(ctx, key, "v", 0))
		mustGet(t, groups[0], key, "v")
		t.Logf("a Set for a crashed owner succeeded after %v", time.Since(start)+300*time.Millisecond)
	})
}
