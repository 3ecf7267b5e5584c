package copies_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestLastOneLooksAtAllItHas: the other member has crashed, and nobody is left to have copies. Whoever is left says soon
// that no value lacks any, however many it has.
func TestLastOneLooksAtAllItHas(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const values = 20_000
		m := kit.New(t, 2)
		groups := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[int]{Replicas: 2, FewerReplicas: true})
		time.Sleep(time.Second) // all have told the others that they have the group
		for i := range values {
			kit.Must(t, groups[0].Set(ctx, strconv.Itoa(i), i, 0))
		}
		m.Kill(1)
		m.Settle(1)
		settled := time.Now()
		for groups[0].Stats().Lacking+groups[0].Stats().Hidden > 0 && time.Since(settled) < time.Minute {
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(settled); took > 100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		for i := range values {
			kit.MustGet(t, groups[0], strconv.Itoa(i), i)
		}
	})
}
