package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestCloseInAHurry: whoever closes a group has no time left. While leases are out the
// group goes on, so nobody's load fails for that, here or elsewhere.
func TestCloseInAHurry(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		load := func(ctx context.Context, key string) (string, error) {
			select {
			case <-time.After(50 * time.Millisecond):
				return key, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		groups := groupOn(m, "g", load, cachemesh.GroupOptions[string]{HotReads: 1})
		leased := m.keyOf("g", 0)
		for range 10 {
			mustGet(t, groups[1], leased, leased)
		}
		m.net.CutStreams(hostName(0), hostName(1))
		m.net.CutStreams(hostName(2), hostName(1))
		over, cancel := context.WithCancel(ctx)
		cancel()
		if err := groups[0].Close(over); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		for i, asked := 0, 0; asked < 6; i++ {
			if key := fmt.Sprint("key", i); m.owner("g", key) == 0 {
				asked++
				mustGet(t, groups[2*(asked%2)], key, key)
			}
		}
		must(t, groups[0].Close(ctx))
	})
}
