package meshtest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// near plays misfortunes near writes: when a copy is made and not answered yet, when some are
// passed over, when views differ.
type near struct {
	*Stage
	rng *rand.Rand
}

// passedOver is the first of nearWrites.
const passedOver = 0

var nearWrites = []func(n *near) error{
	// Some are passed over, and the owner crashes: one of them may own the key then.
	func(n *near) error {
		victim, d := n.rng.IntN(5), time.Duration(2500+n.rng.IntN(2500))*time.Millisecond
		spared := n.Node((victim + 1 + n.rng.IntN(4)) % 5).Addr()
		n.Calls.HoldRequests(func(from, addr string, req *httppool.Request) time.Duration {
			if from == HostName(victim) && addr != spared && (req.Op == wire.OpCopies || req.Op == wire.OpRelay) {
				return 3 * time.Second
			}
			return 0
		})
		time.Sleep(d)
		n.Crash(victim)
		n.Calls.HoldRequests(nil)
		time.Sleep(time.Duration(3000+n.rng.IntN(3000)) * time.Millisecond)
		return n.Join(victim)
	},
	// A member is back at once.
	func(n *near) error {
		victim := n.rng.IntN(5)
		n.slowCopies(300 * time.Millisecond)
		time.Sleep(200 * time.Millisecond)
		n.Crash(victim)
		time.Sleep(time.Duration(n.rng.IntN(300)) * time.Millisecond)
		n.Calls.HoldRequests(nil)
		return n.Join(victim)
	},
	// A member does not hear that another has crashed, or left.
	func(n *near) error {
		deaf, victim := n.rng.IntN(5), n.rng.IntN(5)
		if deaf == victim {
			victim = (deaf + 1) % 5
		}
		n.slowCopies(time.Duration(n.rng.IntN(700)) * time.Millisecond)
		n.HoldNews(deaf)
		if n.rng.IntN(2) == 0 {
			n.Crash(victim)
		} else {
			n.setDown(victim, true)
			ctx, cancel := timeout(2 * time.Second)
			_ = n.Leave(ctx, victim)
			cancel()
			n.Kill(victim)
		}
		time.Sleep(time.Duration(500+n.rng.IntN(4000)) * time.Millisecond)
		n.ReleaseNews(deaf)
		n.Calls.HoldRequests(nil)
		time.Sleep(time.Duration(n.rng.IntN(3000)) * time.Millisecond)
		return n.Join(victim)
	},
	// A member is cut off, and goes on for as long as its right does.
	func(n *near) error {
		victim := n.rng.IntN(5)
		n.Net.Partition([]string{HostName(victim)})
		time.Sleep(time.Duration(1000+n.rng.IntN(8000)) * time.Millisecond)
		n.Net.Heal()
		return nil
	},
	// What a member answers is late, so that it is passed over though it has the copy; another crashes.
	func(n *near) error {
		late, victim := n.rng.IntN(5), n.rng.IntN(5)
		if late == victim {
			victim = (late + 1) % 5
		}
		addr := n.Node(late).Addr()
		n.Calls.HoldAnswers(func(to string, req *httppool.Request) time.Duration {
			if to == addr && (req.Op == wire.OpCopies || req.Op == wire.OpRelay) {
				return 2 * time.Second
			}
			return 0
		})
		time.Sleep(time.Duration(1100+n.rng.IntN(1500)) * time.Millisecond)
		n.Crash(victim)
		n.Calls.HoldAnswers(nil)
		time.Sleep(time.Duration(3000+n.rng.IntN(3000)) * time.Millisecond)
		return n.Join(victim)
	},
	// Some of what a member is sent comes late, when its sender has given it up; another crashes.
	func(n *near) error {
		late, victim := n.rng.IntN(5), n.rng.IntN(5)
		if late == victim {
			victim = (late + 1) % 5
		}
		addr := n.Node(late).Addr()
		some := n.random(3)
		n.Calls.HoldRequests(func(_, to string, req *httppool.Request) time.Duration {
			if to == addr && req.Op == wire.OpCopies && some() == 0 {
				return -1700 * time.Millisecond
			}
			return 0
		})
		time.Sleep(time.Duration(2500+n.rng.IntN(2500)) * time.Millisecond)
		n.Crash(victim)
		time.Sleep(time.Duration(3000+n.rng.IntN(3000)) * time.Millisecond)
		n.Calls.HoldRequests(nil)
		return n.Join(victim)
	},
	// Members leave and join while copies are made.
	func(n *near) error {
		victim := n.rng.IntN(5)
		n.slowCopies(500 * time.Millisecond)
		n.setDown(victim, true)
		ctx, cancel := timeout(20 * time.Second)
		defer cancel()
		err := n.Leave(ctx, victim)
		n.Calls.HoldRequests(nil)
		if err != nil {
			return err
		}
		return n.Join(victim)
	},
}

// random returns what draws numbers below n, for any goroutine.
func (n *near) random(below int64) func() int64 {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(n.rng.Uint64(), 1))
	return func() int64 {
		mu.Lock()
		defer mu.Unlock()
		return rng.Int64N(below)
	}
}

// slowCopies holds a third of the requests for copies, for so long at most.
func (n *near) slowCopies(most time.Duration) {
	some, long := n.random(3), n.random(int64(most)+1)
	n.Calls.HoldRequests(func(_, _ string, req *httppool.Request) time.Duration {
		if req.Op != wire.OpCopies || some() != 0 {
			return 0
		}
		return time.Duration(long())
	})
}

const anyOfThem = -1

// nearHistory plays four of them, or one four times, each when all values have their copies again,
// and returns what readers saw that they must not.
func nearHistory(t *testing.T, seed uint64, only int, faults faultinject.Faults) *Growing {
	s, err := NewStage(t.Context(), Config{Seed: seed, Members: 5, Replicas: 2, HotReads: 1, Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := &near{s, rand.New(rand.NewPCG(seed, 11))}
	s.Net.SetLatency(0, time.Duration(n.rng.IntN(5))*time.Millisecond)
	g := &Growing{Seed: seed, Keys: 12, Stage: s, Members: 5}
	g.Start()
	time.Sleep(500 * time.Millisecond)
	rounds := 4
	if *seeds < 40 { // the race detector takes its time
		rounds = 1
	}
	for range rounds {
		at := n.rng.IntN(len(nearWrites))
		if only != anyOfThem {
			at = only
		}
		if err := nearWrites[at](n); err != nil {
			t.Logf("%d: %v", at, err)
		}
		if err := s.Settle(t.Context(), 0, 1, 2, 3, 4); err != nil {
			t.Errorf("after %d: %v", at, err)
			break
		}
		if values := s.lacking(); values > 0 {
			g.Note(fmt.Sprintf("%d values lack copies a minute after", values))
		}
		if len(g.Broke) > 0 {
			break
		}
	}
	g.Stop()
	return g
}

// Whatever befalls members near a write: what was answered with nil, or seen, is not lost, and
// nothing older is seen again.
func TestReplicasNearWrites(t *testing.T) {
	var nils, maybes, reads int
	each := uint64(max(*seeds/200, 1))
	for seed := range each {
		synctest.Test(t, func(t *testing.T) {
			g := nearHistory(t, seed+1, anyOfThem, faultinject.Faults{})
			nils, maybes, reads = nils+g.Nils, maybes+g.Maybes, reads+g.Reads
			for _, broke := range g.Broke {
				t.Errorf("seed %d: %s", seed+1, broke)
			}
		})
	}
	t.Logf("%d histories: %d writes with nil, %d that may be applied, %d reads", each, nils, maybes, reads)
}

// Meshes without a rule of copies are noticed. The others take hundreds of histories, or are held in
// by rules of the owner besides; internal/replica notices all of them.
func TestReplicasNearNotices(t *testing.T) {
	const enough = 40
	if *seeds < 40 {
		t.Skip("few histories are asked for")
	}
	for _, without := range []struct {
		rule   string
		faults faultinject.Replicas
		only   int
		slow   bool // it takes some ten histories: only where many are asked for
	}{
		{"as many members as there shall be copies", faultinject.Replicas{NilAlone: true}, anyOfThem, false},
		{"nothing is taken by another view", faultinject.Replicas{OtherView: true}, anyOfThem, true},
		{"all are asked for their digest", faultinject.Replicas{SuccessorsOnly: true}, passedOver, false},
		{"copies before it is shown", faultinject.Replicas{ShowFirst: true}, anyOfThem, true},
		{"traces stay while somebody may have something older", faultinject.Replicas{ShortTraces: true}, passedOver, true},
		{"only the owner's word drops a copy", faultinject.Replicas{OwnWord: true}, anyOfThem, true},
		{"traces stay while a member is missing", faultinject.Replicas{ForgetMissing: true}, anyOfThem, true},
	} {
		if without.slow && *seeds <= 200 {
			continue
		}
		t.Run(without.rule, func(t *testing.T) {
			began := time.Now()
			for seed := range uint64(enough) {
				var broke []string
				synctest.Test(t, func(t *testing.T) {
					broke = nearHistory(t, seed+1, without.only, faultinject.Faults{Replicas: without.faults}).Broke
				})
				if len(broke) > 0 {
					t.Logf("noticed by history %d after %v: %s", seed+1, time.Since(began), broke[0])
					return
				}
			}
			t.Errorf("not noticed in %d histories", enough)
		})
	}
}
