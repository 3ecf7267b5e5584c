package meshtest

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// One link is cut: calls between its ends go through a relay, with copies as without, and what was
// answered with nil survives the crash of either end.
func TestReplicasThroughARelay(t *testing.T) {
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			s, err := NewStage(t.Context(), Config{Seed: seed, Members: 4, Replicas: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			g := s.Values(0)
			const keys = 60
			s.CutLink(0, 1)
			time.Sleep(time.Duration(seed) * 300 * time.Millisecond)
			want := make(map[string]int)
			for k := range keys {
				key := counterKey(k)
				err := g.Set(t.Context(), key, k, 0)
				if pe, ok := errors.AsType[*cachemesh.PeerError](err); ok && pe.MaybeApplied && k < 5 {
					continue // it was sent before the cut was noticed
				}
				if err != nil {
					t.Fatalf("Set %d: %v", k, err)
				}
				if v, err := g.Get(t.Context(), key); err != nil || v != k {
					t.Errorf("key %d: %d, %v", k, v, err)
				}
				switch k % 3 {
				case 0:
					if sum, err := cachemesh.Increment(t.Context(), g, key, 1000, 0); err != nil || sum != k+1000 {
						t.Errorf("Increment of key %d: %d, %v", k, sum, err)
					}
					want[key] = k + 1000
				case 1:
					if err := g.Delete(t.Context(), key); err != nil {
						t.Errorf("Delete of key %d: %v", k, err)
					}
				default:
					want[key] = k
				}
			}
			page, err := g.Scan(t.Context(), cachemesh.ScanQuery{Count: 1000})
			if err != nil || len(page.Items) < len(want) {
				t.Errorf("a Scan shows %d keys of %d: %v", len(page.Items), len(want), err)
			}
			if err := g.DeletePrefix(t.Context(), "counter 1"); err != nil {
				t.Errorf("DeletePrefix: %v", err)
			}
			s.whole(t)
			victim := int(seed % 2)
			s.Crash(victim)
			if err := s.Settle(t.Context(), without(4, victim)...); err != nil {
				t.Fatal(err)
			}
			for k := range keys {
				key := counterKey(k)
				v, err := s.Values(2).Get(t.Context(), key)
				switch at, ok := want[key]; {
				case !ok || k == 1 || k >= 10 && k < 20:
					if !errors.Is(err, cachemesh.ErrNotFound) && k >= 5 {
						t.Errorf("key %d: %d, %v, want nothing", k, v, err)
					}
				case err != nil || v != at:
					t.Errorf("key %d: %d, %v, want %d", k, v, err, at)
				}
			}
		})
	}
}
