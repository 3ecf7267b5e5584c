package meshtest

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
)

const opFence = 8 // of the wire: who is in the mesh, and who may act

// questions counts the questions that members ask each other.
func (s *Stage) questions() *atomic.Int64 {
	n := new(atomic.Int64)
	s.Calls.HoldAnswers(func(_ string, req *httppool.Request) time.Duration {
		if req.Op == opFence {
			n.Add(1)
		}
		return 0
	})
	return n
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// A tally counts loads by key.
type tally struct {
	mu sync.Mutex
	n  map[string]int // guarded by mu
}

func (l *tally) count(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n[key]++
}

// of returns how many of the keys were loaded since, and forgets.
func (l *tally) of(all []string) (keys int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range all {
		if l.n[key] > 0 {
			keys++
		}
	}
	l.n = make(map[string]int)
	return keys
}

// TestCrashFigures crashes one member under reads. The others load nothing again whose
// owner did not change, their keys can be deleted all the time, and the crashed one's
// once its right is over.
func TestCrashFigures(t *testing.T) {
	for _, members := range []int{3, 10, 30} {
		t.Run(fmt.Sprint(members), func(t *testing.T) {
			underFault(t, 1, func(t *testing.T, seed uint64) { crashFigures(t, seed, members) })
		})
	}
}

const (
	right  = 3 * time.Second // the default of Options.Right
	detect = 3 * time.Second // how long gossip takes to notice a crash, at most
)

func crashFigures(t *testing.T, seed uint64, members int) {
	s := stageOf(t, Config{Seed: seed, Members: members, HotReads: noHotCopies})
	loads := &tally{n: make(map[string]int)}
	s.Origin.Loaded = loads.count
	everyone, rest := upTo(members), upTo(members-1)
	asked := s.questions()
	all := keys("w", 40*members)
	s.warm(t, all, everyone...)
	owners := s.ownersOf(all, everyone...)
	var stays, goes []string
	for _, key := range all {
		if owners[key] == members-1 {
			goes = append(goes, key)
		} else {
			stays = append(stays, key)
		}
	}
	reading, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	var old atomic.Int64
	for _, i := range rest[:min(len(rest), 6)] {
		readers.Go(func() {
			for n := i; reading.Err() == nil; n++ {
				if v, err := s.Rows(i).Get(reading, all[n*7%len(all)]); err == nil && v != 1 && v != 2 {
					old.Add(1)
				}
				sleep(reading, 100*time.Millisecond)
			}
		})
	}
	time.Sleep(5 * time.Second)
	loads.of(nil)
	asked.Store(0)
	time.Sleep(10 * time.Second)
	idle := asked.Swap(0)
	s.Crash(members - 1)
	crashed := time.Now()
	deletes := s.deletes(t, rest, stays[:members], goes[:2])
	time.Sleep(time.Until(crashed.Add(10 * time.Second)))
	extra := asked.Load() - idle*int64(members-2)/int64(members) // of those who are left
	if members < 30 {                                            // what is loaded again is by now, and this costs a lot
		time.Sleep(time.Until(crashed.Add(time.Minute)))
	}
	again := loads.of(stays[members:])
	stop()
	readers.Wait()
	t.Logf("%d members: %d of %d keys loaded again whose owner stayed; Deletes of these took %v at most, of the crashed one's %v; %d questions more than idle, %.2f n²; idle %.1f questions a second and member",
		members, again, len(stays)-members, round(deletes[0]), round(deletes[1]), extra, float64(extra)/float64(members*members), float64(idle)/10/float64(members))
	if again > len(stays)/100 {
		t.Errorf("%d keys were loaded again", again)
	}
	if deletes[1] > right+detect {
		t.Errorf("a Delete of the crashed member's keys took %v", deletes[1])
	}
	if int(extra) > 3*members*members {
		t.Errorf("%d questions, more than 3 n²", extra)
	}
	if old.Load() > 0 {
		t.Errorf("%d reads were wrong", old.Load())
	}
}

// deletes changes and deletes keys, reads them, returns how long the slowest
// took of each list.
func (s *Stage) deletes(t *testing.T, members []int, lists ...[]string) []time.Duration {
	var mu sync.Mutex
	slowest := make([]time.Duration, len(lists))
	var all sync.WaitGroup
	for l, list := range lists {
		for i, key := range list {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
				defer cancel()
				began := time.Now()
				s.Origin.Write(key, 2)
				if err := s.Rows(members[i%len(members)]).Delete(ctx, key); err != nil {
					t.Errorf("Delete(%q) after %v: %v", key, time.Since(began), err)
				}
				took := time.Since(began)
				for _, m := range members[:2] {
					if v, err := s.Rows(m).Get(ctx, key); v != 2 || err != nil {
						t.Errorf("after a Delete of %q member %d read %d, %v", key, m, v, err)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				slowest[l] = max(slowest[l], took)
			})
		}
	}
	all.Wait()
	return slowest
}

var idleMembers = flag.Int("idlemembers", 10, "members of the greatest mesh of TestIdleCost")

// TestIdleCost measures what a mesh costs that nobody uses.
func TestIdleCost(t *testing.T) {
	for _, members := range []int{10, 30, 100} {
		if members <= *idleMembers {
			t.Run(fmt.Sprint(members), func(t *testing.T) {
				underFault(t, 1, func(t *testing.T, seed uint64) { idleCost(t, seed, members) })
			})
		}
	}
}

func idleCost(t *testing.T, seed uint64, members int) {
	s := stageOf(t, Config{Seed: seed, Members: members, HotReads: noHotCopies})
	total := func() (calls, bytes uint64) {
		for i := range members {
			st := s.Node(i).Stats()
			calls, bytes = calls+st.Calls, bytes+st.BytesOut+st.BytesIn
		}
		return calls, bytes
	}
	time.Sleep(5 * time.Second)
	c0, b0 := total()
	const watched = 10
	time.Sleep(watched * time.Second)
	c1, b1 := total()
	per := float64(watched * members)
	calls, bytes := float64(c1-c0)/per, float64(b1-b0)/per
	t.Logf("%d members, idle: %.1f calls and %.0f bytes (both ways) a second and member, %.0f bytes a call", members, calls, bytes, bytes/calls/2)
	if most := float64(members-1) * 4 / right.Seconds() * 1.1; calls > most {
		t.Errorf("%.1f calls a second, want %.1f at most", calls, most)
	}
	if bytes > 500*float64(members) {
		t.Errorf("%.0f bytes a second", bytes)
	}
}
