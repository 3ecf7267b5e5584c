package meshtest

import (
	"context"
	"testing"
	"time"
)

// TestPartition cuts five members into three and two for 20 s, with readers and
// writers on both sides.
func TestPartition(t *testing.T) {
	underFault(t, 5, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 5)
		rows := s.traffic(t, seed, s.Rows, nil)
		time.Sleep(3 * time.Second)
		s.Net.Partition([]string{"m0", "m1", "m2"}, []string{"m3", "m4"})
		time.Sleep(20 * time.Second)
		s.Net.Heal()
		healed := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		if err := s.Settle(ctx, 0, 1, 2, 3, 4); err != nil {
			t.Error(err)
		}
		whole := time.Since(healed)
		rows.Ledger.Agree()
		time.Sleep(2 * maxStale)
		out, _ := finish(t, "partition of 20 s", rows)
		noReadFailed(t, "partition of 20 s", out)
		t.Logf("one ring, settled, %v after healing", round(whole))
		if whole > 30*time.Second {
			t.Errorf("one ring %v after healing, want within 30 s", whole)
		}
	})
}
