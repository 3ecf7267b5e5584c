package meshtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
)

// TestHottestKey reads by Zipf's law over five members: the owner of the hottest
// key must answer few of the requests for it.
func TestHottestKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const readers, reads, keyCount = 20, 2_500, 10_000 // reads of each reader; four read at each member
		s := stageOf(t, Config{Seed: 1, Members: 5})       // detecting hot keys as by default
		for _, key := range keys("k", keyCount) {
			s.Origin.Write(key, 1)
		}
		var asked, hottest atomic.Int64
		s.Calls.HoldAnswers(func(_ string, req *httppool.Request) time.Duration {
			if req.Op == opGet && req.Key == "k0" {
				asked.Add(1)
			}
			return 0
		})
		var wg sync.WaitGroup
		began := time.Now()
		for i := range readers {
			wg.Go(func() {
				draw := newZipf(keyCount, 0.99, rand.New(rand.NewPCG(1, uint64(i))))
				for range reads {
					k := draw()
					if k == 0 {
						hottest.Add(1)
					}
					if _, err := s.Rows(i%5).Get(t.Context(), fmt.Sprint("k", k)); err != nil {
						t.Error(err)
					}
					time.Sleep(2 * time.Millisecond)
				}
			})
		}
		wg.Wait()
		share := float64(asked.Load()) / float64(hottest.Load())
		t.Logf("%.0f reads/s, of %d requests for the hottest of %d keys its owner was asked for %d by others: %.2f %%",
			readers*reads/time.Since(began).Seconds(), hottest.Load(), keyCount, asked.Load(), 100*share)
		if share >= 0.05 || asked.Load() == 0 {
			t.Errorf("the owner answered %.2f %% of the requests, want less than 5 %%", 100*share)
		}
	})
}

func owns(g *cachemesh.Group[int], key string) bool {
	for k := range g.All() {
		if k == key {
			return true
		}
	}
	return false
}

// TestCostOfCoherence reports what a write waits for, with a round trip of 10 ms
// between members, and that holders cost a cold key nothing.
func TestCostOfCoherence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stage(t, 1, 5)
		const oneWay = 5 * time.Millisecond
		s.Net.SetLatency(oneWay, oneWay)
		var atOwner, cold, hot time.Duration
		for _, key := range keys("k", 50) {
			s.Origin.Write(key, 1)
			if _, err := s.Rows(0).Get(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			own := slices.IndexFunc(s.rows, func(g *cachemesh.Group[int]) bool { return owns(g, key) })
			time.Sleep(2 * lease) // until no lease is out
			atOwner = max(atOwner, took(t, s.Rows(own), key))
			cold = max(cold, took(t, s.Rows((own+1)%5), key))
			if _, err := s.Rows(own).Get(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				if i != own && !hold(t, s.Rows(i), key) {
					t.Fatalf("member %d does not hold %q", i, key)
				}
			}
			hot = max(hot, took(t, s.Rows(own), key))
		}
		t.Logf("Delete at the owner: cold key %v, key with 4 holders %v; at another member, cold key: %v; round trip %v", atOwner, hot, cold, 2*oneWay)
		if atOwner != 0 || cold != 2*oneWay || hot != 2*oneWay {
			t.Error("want nothing, one round trip and one round trip")
		}
	})
}

func took(t *testing.T, g *cachemesh.Group[int], key string) time.Duration {
	t.Helper()
	began := time.Now()
	if err := g.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

// newZipf returns a source of numbers below n that follow Zipf's law. Unlike
// math/rand's it allows an exponent below one.
func newZipf(n int, exponent float64, rng *rand.Rand) func() int {
	sums := make([]float64, n)
	sum := 0.0
	for i := range sums {
		sum += math.Pow(float64(i+1), -exponent)
		sums[i] = sum
	}
	return func() int { return min(sort.SearchFloat64s(sums, rng.Float64()*sum), n-1) }
}
