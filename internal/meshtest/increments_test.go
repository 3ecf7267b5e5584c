package meshtest

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

var increments = flag.Int("increments", 60, "how often each of 80 callers counts one key up while members come, go and crash")

// counting is callers that count one key up, each call once.
type counting struct {
	s   *Stage
	key string

	mu      sync.Mutex  // guards the fields below
	seen    map[int]int // answers with nil, by the sum
	maybes  int         // that may be applied, or be applied yet
	again   int         // that certainly were not, and were made again
	sample  error
	failure string
	longest time.Duration
}

// count makes so many calls that were applied or may be.
func (c *counting) count(calls int, rng *rand.Rand) {
	last := 0
	for done := 0; done < calls; {
		g := c.s.Values(rng.IntN(6))
		if g == nil {
			time.Sleep(time.Millisecond)
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		began := time.Now()
		sum, err := cachemesh.Increment(ctx, g, c.key, 1, 0)
		cancel()
		c.mu.Lock()
		c.longest = max(c.longest, time.Since(began))
		pe, _ := errors.AsType[*cachemesh.PeerError](err)
		switch {
		case err == nil:
			if c.seen[sum]++; sum <= last && c.failure == "" {
				c.failure = "a caller's sums do not grow"
			}
			last = sum
			done++
		case pe != nil && pe.MaybeApplied:
			c.maybes++
			c.sample = err
			done++
		default:
			c.again++
			c.sample = err
		}
		c.mu.Unlock()
		time.Sleep(time.Duration(rng.IntN(int(2 * time.Millisecond))))
	}
}

// await waits until so many calls were made.
func (c *counting) await(calls int) {
	for ; ; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		made := len(c.seen) + c.maybes
		c.mu.Unlock()
		if made >= calls {
			return
		}
	}
}

// run counts the key up by 80 callers at up to six members while something happens to these, and
// compares what is there with what they were told.
func (c *counting) run(t *testing.T, calls int, seed uint64, happen func()) {
	t.Helper()
	c.seen = make(map[int]int)
	var all sync.WaitGroup
	for i := range 80 {
		all.Go(func() { c.count(calls, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	happen()
	all.Wait()
	time.Sleep(10 * time.Second) // what may be applied is, or never will be
	total, nils := 80*calls, 0
	sum, err := c.s.Values(0).Get(t.Context(), c.key)
	if err != nil {
		t.Fatal(err)
	}
	for n, times := range c.seen {
		if nils += times; times > 1 || n > sum {
			t.Errorf("%d calls returned %d, and the sum is %d", times, n, sum)
		}
	}
	t.Logf("%d calls: %d nil, %d may be applied, of which %d were; %d were made again; the longest took %v, e.g. %v", total, nils, c.maybes, sum-nils, c.again, c.longest, c.sample)
	if sum < nils || sum > nils+c.maybes || nils+c.maybes != total {
		t.Errorf("the sum is %d, of %d calls with nil and %d that may be applied", sum, nils, c.maybes)
	}
	if c.failure != "" {
		t.Error(c.failure)
	}
}

// Every call that returned nil counted once, and no other but those that said that they may have,
// while a member joins, one leaves in order, and one crashes.
func TestIncrementsCountOnce(t *testing.T) {
	for seed := range uint64(2) {
		synctest.Test(t, func(t *testing.T) {
			s, err := NewStage(t.Context(), Config{Seed: seed, Members: 5, Replicas: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			s.Net.SetLatency(0, 2*time.Millisecond)
			c := &counting{s: s, key: counterKey(int(seed))}
			c.run(t, *increments, seed, func() {
				c.await(80 * *increments / 5)
				if err := s.Join(5); err != nil {
					t.Error(err)
				}
				c.await(2 * 80 * *increments / 5)
				if err := s.Leave(t.Context(), 1); err != nil {
					t.Error(err)
				}
				c.await(3 * 80 * *increments / 5)
				victim := s.ownerOf(c.key)
				if victim == 0 {
					victim = 2
				}
				s.Crash(victim)
			})
		})
	}
}

// The same where all members leave in order and come back, one after the other.
func TestIncrementsThroughADeploy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewStage(t.Context(), Config{Seed: 3, Members: 5, Replicas: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Net.SetLatency(0, 2*time.Millisecond)
		c := &counting{s: s, key: "k"}
		c.run(t, *increments, 3, func() {
			for i := 1; i < 5; i++ {
				c.await(i * 80 * *increments / 6)
				if err := s.Leave(t.Context(), i); err != nil {
					t.Error(err)
				}
				if err := s.Join(i); err != nil {
					t.Error(err)
				}
				if err := s.Settle(t.Context(), 0, 1, 2, 3, 4); err != nil {
					t.Error(err)
				}
				s.whole(t)
			}
		})
	})
}

// ownerOf returns the member that owns a key of the group without a loader, as member 0 sees it.
func (s *Stage) ownerOf(key string) int {
	addr := seam.Inside(s.Node(0)).OwnerAddr(valuesGroup, key)
	for i := range s.nodes {
		if n := s.Node(i); n != nil && n.Addr() == addr {
			return i
		}
	}
	return -1
}
