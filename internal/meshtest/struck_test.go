package meshtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/memnet"
)

// A blow is a fault that leaves every member's view as it is. So it is no excuse:
// histories must be linearizable through it.
type blow struct {
	name string
	only []string // scenarios that it is played in; nil: all of struckKinds
	edit func(*cachemesh.Options)
	play func(s *struck) // strikes and lifts, while clients work

	// alone says that nobody can reach one member for a while, not by others either.
	// Then its keys are loaded, and what it alone was Set to hold is not seen.
	alone bool
}

// A struck mesh is one that a blow is played on.
type struck struct {
	*Mesh
	t      *testing.T
	rng    *rand.Rand
	idle   [struckMembers]atomic.Bool // clients do not use these members
	groups []*cachemesh.Group[int]

	mu    sync.Mutex // guards trace
	trace []memnet.Event
}

const (
	struckMembers = 5
	struckFor     = 1500 * time.Millisecond // most blows last so long
	checkTime     = 20 * time.Second        // of the checker, for one history
)

// struckKinds are the scenarios that blows are played in.
var struckKinds = []scenario{
	{name: "map", linkDelay: 2 * time.Millisecond, readsToBeHot: 1},
	{name: "map without hot copies", linkDelay: 2 * time.Millisecond, readsToBeHot: noHotCopies},
	{name: "loader", loads: true, linkDelay: 2 * time.Millisecond, loadDelay: 20 * time.Millisecond, readsToBeHot: 1},
	{name: "loader without hot copies", loads: true, linkDelay: 2 * time.Millisecond, loadDelay: 20 * time.Millisecond, readsToBeHot: noHotCopies},
	{name: "loader, cleared and refreshed", loads: true, clears: true, linkDelay: 2 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{NotFoundTTL: time.Minute, RefreshAfter: 30 * time.Millisecond}},
	{name: "write-through", loads: true, through: true, linkDelay: 2 * time.Millisecond, loadDelay: 20 * time.Millisecond, readsToBeHot: 1},
}

const noHotCopies = 1000 // reads that no key gets here

func everybody() (all []int) {
	for i := range struckMembers {
		all = append(all, i)
	}
	return all
}

// others returns all members but one.
func others(i int) (all []int) {
	for _, j := range everybody() {
		if j != i {
			all = append(all, j)
		}
	}
	return all
}

// two returns two members.
func (s *struck) two() (a, b int) {
	a = s.rng.IntN(struckMembers)
	return a, (a + 1 + s.rng.IntN(struckMembers-1)) % struckMembers
}

// rest lets clients work for a while.
func (s *struck) rest(most time.Duration) {
	time.Sleep(most/2 + time.Duration(s.rng.Int64N(int64(most/2))))
}

// A struckOutcome is what clients of one history met.
type struckOutcome struct {
	history   *History
	disturbed bool // a view changed all the same
	failed    int  // operations
	first     error
	hot       uint64
	faults    string
}

// playBlow plays a blow on a mesh in use.
func playBlow(t *testing.T, sc scenario, st blow, seed uint64) (out struckOutcome) {
	m, clients, groups, h := sc.set(t, Config{Seed: seed, Members: struckMembers, Edit: st.edit})
	defer m.Close()
	if err := m.AwaitSettled(t.Context(), everybody()...); err != nil {
		t.Fatal(err)
	}
	s := &struck{Mesh: m, t: t, groups: groups, rng: rand.New(rand.NewPCG(seed, 7))}
	m.Net.Trace(func(e memnet.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.trace = append(s.trace, e)
	})
	var mu sync.Mutex // guards out.failed and out.first
	stop, stopped := make(chan struct{}), make(chan error)
	clients.Count, clients.Ops, clients.Peeks, clients.Stop = 8, 1<<20, true, stop
	clients.Pause, clients.Timeout = 80*time.Millisecond, 3*time.Second
	clients.Excuse = func(err error) bool {
		mu.Lock()
		defer mu.Unlock()
		if out.failed++; out.first == nil {
			out.first = err
		}
		return true
	}
	epochs := epochsOf(m)
	go func() {
		stopped <- clients.Run(h, func(id int) *cachemesh.Group[int] {
			if i := id % len(groups); !s.idle[i].Load() {
				return groups[i]
			}
			return nil
		})
	}()
	s.rest(200 * time.Millisecond)
	st.play(s)
	s.rest(400 * time.Millisecond)
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	out.history, out.hot, out.disturbed = h, hotHits(groups), epochsOf(m) != epochs
	out.faults = lines(s.trace)
	return out
}

// epochsOf names the members' views.
func epochsOf(m *Mesh) string {
	var b strings.Builder
	for i := range struckMembers {
		fmt.Fprintln(&b, m.Node(i).Stats().Epoch)
	}
	return b.String()
}

var blows = []blow{
	{name: "link cut", play: func(s *struck) {
		a, b := s.two()
		s.CutLink(a, b)
		s.rest(struckFor)
		s.Net.Heal()
	}},
	{name: "link cut one way", play: func(s *struck) {
		a, b := s.two()
		s.Net.Cut(HostName(a), HostName(b))
		s.rest(struckFor)
		s.Net.Heal()
	}},
	{name: "streams cut between two", play: func(s *struck) {
		a, b := s.two()
		s.LoseStreams(a, b)
		s.rest(struckFor)
		s.Net.Heal()
	}},
	{name: "streams cut one way", play: func(s *struck) {
		a, b := s.two()
		s.Net.CutStreams(HostName(a), HostName(b))
		s.rest(struckFor)
		s.Net.Heal()
	}},
	{name: "packets lost", play: func(s *struck) {
		s.Net.SetLoss(0.1)
		s.rest(struckFor)
		s.Net.SetLoss(0)
	}},
	{name: "member stalled for a moment", alone: true, play: func(s *struck) {
		for range 2 {
			a := s.rng.IntN(struckMembers)
			s.idle[a].Store(true)
			s.Net.Pause(HostName(a))
			s.rest(500 * time.Millisecond)
			s.Net.Resume(HostName(a))
			s.idle[a].Store(false)
			s.rest(300 * time.Millisecond)
		}
	}},
	{name: "machine suspended for a moment", play: func(s *struck) {
		for range 2 {
			a := s.rng.IntN(struckMembers)
			s.idle[a].Store(true)
			s.rest(100 * time.Millisecond) // what its callers began
			s.Suspend(a)
			s.rest(500 * time.Millisecond)
			s.Wake(a)
			time.Sleep(250 * time.Millisecond) // until it has looked at the clocks
			s.idle[a].Store(false)
			s.rest(300 * time.Millisecond)
		}
	}},
	// Several leases long, so that they are renewed, and so are confirmations.
	{name: "nothing, for many leases", edit: func(o *cachemesh.Options) { o.Lease, o.MaxStale = 100*time.Millisecond, time.Second },
		play: func(s *struck) { time.Sleep(4 * time.Second) }},
	{name: "link cut for many leases", only: []string{"map", "map without hot copies", "loader", "loader without hot copies", "loader, cleared and refreshed"}, edit: func(o *cachemesh.Options) { o.Lease, o.MaxStale = 100*time.Millisecond, time.Second },
		play: func(s *struck) {
			for range 3 {
				a, b := s.two()
				s.CutLink(a, b)
				s.rest(time.Second)
				s.Net.Heal()
				s.rest(300 * time.Millisecond)
			}
		}},
}

// TestLinearizableUnderBlows checks histories that a fault is played in while the
// members agree on their view.
func TestLinearizableUnderBlows(t *testing.T) { checkBlows(t, blows) }

func checkBlows(t *testing.T, blows []blow) {
	for _, st := range blows {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			for _, sc := range struckKinds {
				if st.only == nil || slices.Contains(st.only, sc.name) {
					t.Run(sc.name, func(t *testing.T) { checkBlow(t, sc, st) })
				}
			}
		})
	}
}

// checkBlow plays a blow with several seeds, or the one to replay.
func checkBlow(t *testing.T, sc scenario, st blow) {
	var sum struckSum
	if *oneSeed != 0 {
		sum.check(t, sc, st, *oneSeed)
	}
	for seed := range uint64(max(*moreSeeds, 2)) {
		if *oneSeed == 0 {
			sum.check(t, sc, st, seed+1)
		}
	}
	t.Logf("%v", sum)
	if sum.histories == 0 {
		t.Error("a view changed in each of them: they prove nothing")
	}
}
