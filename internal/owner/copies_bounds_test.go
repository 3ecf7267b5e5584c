package owner_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Clears that begin and never end are bounded, whichever round they begin with: their names are
// the callers' to choose.
func TestClearsAreBounded(t *testing.T) {
	for _, round := range []byte{1, 2} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m := kit.New(t, 1)
			kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[int]{Replicas: 2})
			begun := 0
			for i := range 1000 {
				got := kit.Ask(ctx, m.Nodes[0], httppool.Request{Op: wire.OpClearing, Group: "g", Key: fmt.Sprint(i), View: seam.Inside(m.Nodes[0]).ViewID(),
					Value: wire.AppendVersion([]byte{round}, store.Version{Clock: 1})})
				if got.Status == wire.StatusOK {
					begun++
				}
			}
			if begun != 256 {
				t.Errorf("round %d: %d Clears have begun, want 256", round, begun)
			}
		})
	}
}
