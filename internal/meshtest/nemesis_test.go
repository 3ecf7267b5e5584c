package meshtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// TestNemesis strikes a mesh under traffic with one random fault after the other,
// some of them at the same time. Whatever happens, reads go on, nothing older
// than MaxStale is read, and afterwards the mesh is whole again.
func TestNemesis(t *testing.T) {
	underFault(t, min(max(*seeds/8, 1), 50), func(t *testing.T, seed uint64) {
		s := stage(t, seed, 5)
		rows := s.traffic(t, seed, s.Rows, nil)
		// Both sides of a cut serve their own values of a map, for as long as it lasts.
		values := s.traffic(t, seed+1000, s.Values, func(tr *Traffic) {
			tr.Origin, tr.Readers, tr.Ledger, tr.Keys = nil, 1, NewLedger(time.Hour), keys("v", 40)
		})
		rng := rand.New(rand.NewPCG(seed, 3))
		for range 12 {
			strike(t, s, rng)
			time.Sleep(time.Duration(rng.IntN(5000)) * time.Millisecond)
		}
		s.Net.Heal()
		s.Net.SetLoss(0)
		for i := range 5 {
			s.Net.Resume(HostName(i))
		}
		healed := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		if err := s.Settle(ctx, 0, 1, 2, 3, 4); err != nil {
			t.Error(err)
		}
		whole := time.Since(healed)
		rows.Ledger.Agree()
		values.Ledger.Agree()
		time.Sleep(maxStale)
		out, _ := finish(t, "random faults", rows)
		noReadFailed(t, "random faults", out)
		finish(t, "random faults, map", values)
		sameEverywhere(t, s, values.Keys)
		t.Logf("whole again %v after the last fault", round(whole))
	})
}

// sameEverywhere fails the test if members disagree about the value of a key.
func sameEverywhere(t *testing.T, s *Stage, keys []string) {
	t.Helper()
	for _, key := range keys {
		var seen []int
		for i := range 5 {
			v, err := s.Values(i).Get(t.Context(), key)
			if err != nil && !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("Get %q at member %d: %v", key, i, err)
			}
			seen = append(seen, v)
		}
		if slices.Max(seen) != slices.Min(seen) {
			t.Errorf("%q is %v, by member", key, seen)
		}
	}
}

// strike applies a fault, or lifts those that are.
func strike(t *testing.T, s *Stage, rng *rand.Rand) {
	a, b := rng.IntN(5), rng.IntN(5)
	switch rng.IntN(12) {
	case 0:
		s.Net.Pause(HostName(a))
	case 1:
		s.Net.Resume(HostName(a))
	case 2:
		if a != b {
			s.Net.Cut(HostName(a), HostName(b))
		}
	case 3:
		var side []string
		for i := range 5 {
			if rng.IntN(2) == 0 {
				side = append(side, HostName(i))
			}
		}
		s.Net.Partition(side)
	case 4:
		s.Net.Heal()
	case 5:
		s.Net.SetLoss(rng.Float64() / 4)
	case 6:
		s.Crash(a)
		time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
		if err := s.Join(a); err != nil {
			t.Error(err)
		}
	case 7:
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		s.Leave(ctx, a) // cut off, it may have to go without a word
		s.Net.Kill(HostName(a))
		if err := s.Join(a); err != nil {
			t.Error(err)
		}
	case 8:
		if a != b {
			s.CutLink(a, b)
		}
	case 9:
		s.LoseStreams(a, others(a)...)
	case 10:
		s.RefuseStreams(a, others(a)...)
	case 11:
		s.HangUp(a, others(a)...)
	}
}

// TestLedgerNotices leaves out the wait for invalidation: the ledger must miss it.
func TestLedgerNotices(t *testing.T) {
	caught := 0
	underFault(t, 3, func(t *testing.T, seed uint64) {
		s := stageOf(t, Config{Seed: seed, Members: 5, HotReads: 1, Faults: faultinject.Faults{SkipInvalidation: true}})
		rows := s.traffic(t, seed, s.Rows, nil)
		rows.Ledger.Agree()
		time.Sleep(10 * time.Second)
		rows.Stop()
		caught += rows.Ledger.Verdict().Stale
	})
	if caught == 0 {
		t.Error("no stale read was found in a mesh that does not invalidate")
	}
}
