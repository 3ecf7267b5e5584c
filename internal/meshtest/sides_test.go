package meshtest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// warm gives every key a row and has its owner hold it.
func (s *Stage) warm(t *testing.T, all []string, members ...int) {
	t.Helper()
	each(all, func(i int, key string) {
		s.Origin.Write(key, 1)
		if _, err := s.Rows(members[i%len(members)]).Get(t.Context(), key); err != nil {
			t.Error(err)
		}
	})
}

// ownersOf returns who owns each key, as those see it who hold one.
func (s *Stage) ownersOf(all []string, members ...int) map[string]int {
	owners := make(map[string]int, len(all))
	for _, key := range all {
		for _, i := range members {
			if owns(s.Rows(i), key) {
				owners[key] = i
			}
		}
	}
	return owners
}

// loadsDuring counts what one Get of each key through a member loads in the mesh.
func (s *Stage) loadsDuring(t *testing.T, all []string, via int, members ...int) int {
	t.Helper()
	before := s.loads(members...)
	each(all, func(_ int, key string) {
		if _, err := s.Rows(via).Get(t.Context(), key); err != nil {
			t.Error(err)
		}
	})
	return s.loads(members...) - before
}

// TestTwoSides cuts five members into three and two for a minute. The three go on
// as if the two had crashed; what these answer is at most MaxStale old, and their
// Deletes say that they hold on this side only, but are made good on return.
func TestTwoSides(t *testing.T) {
	underFault(t, 1, func(t *testing.T, seed uint64) {
		s := stageOf(t, Config{Seed: seed, Members: 5, HotReads: noHotCopies})
		all := keys("w", 300)
		s.warm(t, all, everybody()...)
		owners := s.ownersOf(all, everybody()...)
		edit := func(tr *Traffic) { tr.Pause, tr.Timeout, tr.DeletesOnly = 40*time.Millisecond, 5*time.Second, true }
		three := s.traffic(t, seed, onlyAt(s, 0, 1, 2), edit)
		var cut atomic.Bool
		onTwo := func(i int) *cachemesh.Group[int] {
			if i >= 3 || !cut.Load() {
				return s.Rows(i)
			}
			return nil
		}
		two := s.traffic(t, seed+1, onTwo, func(tr *Traffic) { edit(tr); tr.Keys = keys("z", 40) })
		time.Sleep(time.Second)
		cut.Store(true)
		s.Net.Partition([]string{"m0", "m1", "m2"}, []string{"m3", "m4"})
		time.Sleep(15 * time.Second)
		var kept []string // of the three, whose owner stays
		for _, key := range all {
			if owners[key] <= 2 {
				kept = append(kept, key)
			}
		}
		if n := s.loadsDuring(t, kept, 0, 0, 1, 2); n > len(kept)/100 {
			t.Errorf("the three loaded %d of %d keys again whose owner did not change", n, len(kept))
		}
		if m := s.Node(0).Stats().Mode; m != "majority" {
			t.Errorf("the three are %s", m)
		}
		if m := s.Node(3).Stats().Mode; m != "minority" {
			t.Errorf("the two are %s", m)
		}
		said := 0
		for _, key := range all[:50] {
			s.Origin.Write(key, 2)
			err := s.Rows(3).Delete(t.Context(), key)
			if pe, ok := errors.AsType[*cachemesh.PeerError](err); ok && errors.Is(err, cachemesh.ErrMinority) && pe.MaybeApplied {
				said++
			}
		}
		if said != 50 {
			t.Errorf("%d of 50 Deletes on the side of two said so", said)
		}
		if err := s.Rows(3).Clear(t.Context()); !errors.Is(err, cachemesh.ErrMinority) {
			t.Errorf("Clear on the side of two: %v, want ErrMinority", err)
		}
		time.Sleep(45 * time.Second)
		s.Net.Heal()
		healed := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.AwaitSettled(ctx, everybody()...); err != nil {
			t.Error(err)
		}
		whole := time.Since(healed)
		three.Ledger.Agree()
		two.Ledger.Agree()
		t.Logf("one mesh %v after healing", round(whole))
		if whole > 10*time.Second {
			t.Errorf("one mesh %v after healing, want 10s", whole)
		}
		time.Sleep(maxStale)
		if n := olderThan(t, s, all[:50], 2, everybody()...); n > 0 {
			t.Errorf("%d rows are old %v after healing, that the two had deleted", n, maxStale)
		}
		out, v := finish(t, "the side of three", three)
		noReadFailed(t, "the side of three", out)
		t.Logf("%d of %d reads late", v.Late, v.Reads)
		out, _ = finish(t, "the side of two", two)
		noReadFailed(t, "the side of two", out)
		t.Logf("loads after healing: %d of %d keys that the three held", s.loadsDuring(t, kept[50:], 0, everybody()...), len(kept)-50)
	})
}
