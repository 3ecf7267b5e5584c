package meshtest

import (
	"context"
	"testing"
	"time"
)

// TestPartition cuts five members into three and two for 20 s, with readers and
// writers on both sides.
func TestPartition(t *testing.T) {
	underFault(t, 3, func(t *testing.T, seed uint64) {
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

// TestRestartInPartition restarts members while the mesh is cut in two: the new
// processes have never seen the other side, and must learn that it may live on.
func TestRestartInPartition(t *testing.T) {
	underFault(t, 3, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 5)
		rows := s.traffic(t, seed, s.Rows, nil)
		s.Net.Partition([]string{"m0", "m1", "m2"}, []string{"m3", "m4"})
		time.Sleep(5 * time.Second)
		for _, i := range []int{0, 3, 1, 2} { // no member of the first side remembers the others itself
			if i == 3 {
				s.Crash(i)
			} else if err := s.Leave(t.Context(), i); err != nil {
				t.Error(err)
			}
			if err := s.Join(i); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(3 * maxStale)
		s.Net.Heal()
		if err := s.Settle(t.Context(), 0, 1, 2, 3, 4); err != nil {
			t.Error(err)
		}
		rows.Ledger.Agree()
		time.Sleep(maxStale)
		out, _ := finish(t, "members restarted in a partition", rows)
		noReadFailed(t, "members restarted in a partition", out)
	})
}
