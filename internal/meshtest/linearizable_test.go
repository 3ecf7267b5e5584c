package meshtest

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

var (
	seeds   = flag.Int("seeds", 44, "number of histories to check")
	oneSeed = flag.Uint64("seed", 0, "replay this seed alone, with the members' logs")
)

// A scenario is one way to stress a mesh that agrees on its view.
type scenario struct {
	name         string
	loads        bool
	callDelay    time.Duration // of each request and answer, at most
	linkDelay    time.Duration // of the network, at most
	loadDelay    time.Duration // of each half of a load, at most
	readsToBeHot int
	clears       bool
	removes      bool // tags and prefixes
	through      bool // a Writer, which fails now and then
	refreshes    bool // clients also have keys loaded again
	failing      bool // every sixth load fails
	patience     time.Duration
	conditions   bool // clients also write on conditions
	claims       bool // the group has no loader, clients have
	cramped      bool // owners have room for the copies of one key alone, and take those of another back for it
	options      cachemesh.GroupOptions[int]
}

var scenarios = []scenario{
	{name: "map", readsToBeHot: 1},
	{name: "map, delayed and reordered", callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, readsToBeHot: 1},
	{name: "loader", loads: true, loadDelay: 20 * time.Millisecond, readsToBeHot: 1},
	{name: "loader, delayed and reordered", loads: true, callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1},
	{name: "map, cleared", clears: true, callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, readsToBeHot: 1},
	{name: "loader, cleared", loads: true, clears: true, callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{NotFoundTTL: time.Minute}},
	{name: "refreshed", loads: true, clears: true, callDelay: 10 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{NotFoundTTL: 100 * time.Millisecond, RefreshAfter: 20 * time.Millisecond, TTL: 300 * time.Millisecond}},
	{name: "map, tags deleted", removes: true, callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, readsToBeHot: 1},
	{name: "loader, tags deleted", loads: true, removes: true, callDelay: 10 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{NotFoundTTL: 100 * time.Millisecond, RefreshAfter: 50 * time.Millisecond, TTL: 300 * time.Millisecond}},
	{name: "write-through", loads: true, through: true, loadDelay: 20 * time.Millisecond, readsToBeHot: 1},
	{name: "write-through, delayed, refreshed and cleared", loads: true, through: true, clears: true, callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{NotFoundTTL: time.Minute, RefreshAfter: 30 * time.Millisecond}},
	{name: "loads that go on", loads: true, refreshes: true, patience: 30 * time.Millisecond, callDelay: 20 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{FinishLoads: true, TTL: 200 * time.Millisecond}},
	{name: "map, on conditions", conditions: true, callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, readsToBeHot: 1},
	{name: "loader, on conditions", loads: true, conditions: true, callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1},
	{name: "claims", loads: true, claims: true, clears: true, callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{NotFoundTTL: time.Minute}},
	{name: "claims that are given up, and old values", loads: true, claims: true, failing: true, patience: 30 * time.Millisecond, callDelay: 10 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{TTL: 50 * time.Millisecond, StaleFor: time.Minute, StaleWait: 15 * time.Millisecond}},
	{name: "claims and a Writer", loads: true, claims: true, through: true, callDelay: 10 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 20 * time.Millisecond, readsToBeHot: 1},
	{name: "stale while slow", loads: true, refreshes: true, clears: true, failing: true, patience: 30 * time.Millisecond, callDelay: 10 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{FinishLoads: true, TTL: 50 * time.Millisecond, StaleFor: time.Minute, StaleWait: 15 * time.Millisecond}},
	{name: "no room for registrations", loads: true, removes: true, cramped: true, callDelay: 30 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 20 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{MaxBytes: 256 << 10}},
	{name: "stale while slow, write-through", loads: true, through: true, refreshes: true, failing: true, callDelay: 10 * time.Millisecond, linkDelay: 5 * time.Millisecond, loadDelay: 40 * time.Millisecond, readsToBeHot: 1,
		options: cachemesh.GroupOptions[int]{TTL: 50 * time.Millisecond, StaleFor: time.Minute, StaleWait: 15 * time.Millisecond}},
}

// rules are those of a mesh whose members agree: a map does not forget, but for a Clear, which
// may forget a key more than once before it returns.
func (sc scenario) rules() Rules { return Rules{Loads: sc.loads, Keeps: !sc.loads && !sc.clears} }

func scenarioNamed(name string) scenario {
	return scenarios[slices.IndexFunc(scenarios, func(sc scenario) bool { return sc.name == name })]
}

// history runs a scenario and returns what its clients saw.
func history(t *testing.T, sc scenario, seed uint64, faults faultinject.Faults) (h *History, hot, stale uint64) {
	m, clients, groups, h := sc.set(t, Config{Seed: seed, Members: 5, Faults: faults})
	defer m.Close()
	if err := clients.Run(h, func(id int) *cachemesh.Group[int] { return groups[id%len(groups)] }); err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		stale += g.Stats().StaleServed
	}
	return h, hotHits(groups), stale
}

func hotHits(groups []*cachemesh.Group[int]) (hot uint64) {
	for _, g := range groups {
		hot += g.Stats().HotHits
	}
	return hot
}

// set starts a mesh for a scenario and returns it with the clients that are to use
// it, their group at each member, and what will record them.
func (sc scenario) set(t *testing.T, cfg Config) (*Mesh, Clients, []*cachemesh.Group[int], *History) {
	seed := cfg.Seed
	if *oneSeed != 0 && cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	cfg.Faults.Sessions.Cramped = sc.cramped
	m := New(cfg)
	rng := rand.New(rand.NewPCG(seed, 1))
	clients := Clients{Seed: seed, Count: 10, Ops: 40, Keys: []string{"hot", "cold", "warm"}, Pause: 20 * time.Millisecond, Timeout: 30 * time.Second}
	h := new(History)
	var load cachemesh.LoaderFunc[int]
	if sc.loads {
		clients.Origin = NewOrigin()
		if !sc.through { // then mesh and origin are one register, whoever looks
			clients.Origin.Loads = h
		}
		if load = clients.Origin.Load; sc.claims {
			load = nil
		}
		if sc.loadDelay > 0 {
			clients.Origin.Delay = randomDelay(rng, sc.loadDelay)
		}
	}
	clients.Clears, clients.Through, clients.Refreshes, clients.Patience = sc.clears, sc.through, sc.refreshes, sc.patience
	clients.Conditions = sc.conditions
	clients.Claims = sc.claims
	options := sc.options
	options.Cache = sc.claims
	options.HotReads = sc.readsToBeHot
	if clients.Removes = sc.removes; sc.removes {
		options.Tags = Tags
	}
	options.Errors = []error{ErrRefused, ErrDown}
	if sc.failing {
		fails := rand.New(rand.NewPCG(seed, 3))
		clients.Origin.Down = func() bool { return fails.IntN(6) == 0 }
		clients.Excuse = func(err error) bool { return errors.Is(err, ErrDown) }
	}
	if sc.through {
		options.Writer = Through{clients.Origin, refuses(rand.New(rand.NewPCG(seed, 2)))}
	}
	groups := make([]*cachemesh.Group[int], cfg.Members)
	if load == nil && options.Replicas == 0 {
		options.Replicas = 1 // with more a write is not always certain
	}
	err := m.Start(func(i int, n *cachemesh.Node) (err error) {
		groups[i], err = cachemesh.NewGroup(n, "g", load, options)
		return err
	})
	all := make([]int, cfg.Members)
	for i := range all {
		all[i] = i
	}
	if err == nil {
		err = m.AwaitMembers(t.Context(), all...)
	}
	if err != nil {
		m.Close()
		t.Fatal(err)
	}
	m.Net.SetLatency(0, sc.linkDelay)
	m.Calls.SetDelay(0, sc.callDelay)
	return m, clients, groups, h
}

// refuses makes every eighth write fail, half of them after they changed the origin.
func refuses(rng *rand.Rand) func() (fails, changes bool) {
	lock := make(chan struct{}, 1)
	return func() (bool, bool) {
		lock <- struct{}{}
		defer func() { <-lock }()
		return rng.IntN(8) == 0, rng.IntN(2) == 0
	}
}

func randomDelay(rng *rand.Rand, most time.Duration) func() time.Duration {
	lock := make(chan struct{}, 1)
	return func() time.Duration {
		lock <- struct{}{}
		defer func() { <-lock }()
		return time.Duration(rng.Int64N(int64(most)))
	}
}

// TestLinearizable checks histories of mixed Get, Set and Delete, with hot
// copies on, while the members agree on their view.
func TestLinearizable(t *testing.T) {
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			var ops int
			var hotHits, stale uint64
			run := func(seed uint64) {
				t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						h, hot, old := history(t, sc, seed, faultinject.Faults{})
						ops, hotHits, stale = ops+len(h.Operations()), hotHits+hot, stale+old
						if r := porcupine.CheckOperationsTimeout(ModelOf(sc.rules()), h.Operations(), 0); r != porcupine.Ok {
							t.Errorf("not linearizable: %v; replay with -seed %d -run '%s'\n%s", r, seed, t.Name(),
								explainBy(ModelOf(sc.rules()), h.Operations(), time.Minute))
						}
					})
				})
			}
			if *oneSeed != 0 {
				run(*oneSeed)
				return
			}
			each := max(*seeds/len(scenarios), 1)
			for seed := range uint64(each) {
				run(seed + 1)
			}
			t.Logf("%d histories of %d operations, %d hits of hot copies, %d stale values", each, ops/each, hotHits, stale)
			if sc.options.StaleFor > 0 && stale == 0 {
				t.Error("no stale value was ever served: the histories prove little")
			}
			if hotHits == 0 {
				t.Error("no hot copy was ever hit: the histories prove little")
			}
		})
	}
}

// TestCheckerNotices leaves out one safeguard at a time: each must be missed.
func TestCheckerNotices(t *testing.T) {
	for _, f := range []struct {
		name     string
		scenario scenario
		faults   faultinject.Faults
	}{
		{"the wait for invalidation", scenarios[1], faultinject.Faults{SkipInvalidation: true}},
		{"the fill token", scenarios[3], faultinject.Faults{IgnoreFillToken: true}},
		{"do not keep", scenarios[1], faultinject.Faults{IgnoreMark: true}},
		{"the wait for invalidation by a Writer", scenarioNamed("write-through, delayed, refreshed and cleared"), faultinject.Faults{SkipInvalidation: true}},
		{"the wait for invalidation before what is refreshed is seen", scenarioNamed("stale while slow"), faultinject.Faults{SkipInvalidation: true}},
		{"the fill token, of loads that go on", scenarioNamed("loads that go on"), faultinject.Faults{IgnoreFillToken: true}},
		{"the question to the owner, of loaders at their callers", scenarioNamed("claims"), faultinject.Faults{JoinAtMember: true}},
		{"the fill token, of loaders at their callers", scenarioNamed("claims"), faultinject.Faults{IgnoreFillToken: true}},
		{"removals that loads note", scenarioNamed("loader, tags deleted"), faultinject.Faults{IgnoreRemovals: true}},
		{"the wait for invalidation by DeleteTag", scenarioNamed("map, tags deleted"), faultinject.Faults{SkipInvalidation: true}},
		{"that no copy is granted of what is taken back", scenarioNamed("no room for registrations"), faultinject.Faults{Sessions: faultinject.Sessions{GrantLeaving: true}}},
		{"the wait for invalidation by Clear", scenarios[4], faultinject.Faults{SkipInvalidation: true}},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			const enough = 300
			caught := uint64(0)
			for seed := uint64(1); seed <= enough && caught == 0; seed++ {
				synctest.Test(t, func(t *testing.T) {
					h, _, _ := history(t, f.scenario, seed, f.faults)
					if porcupine.CheckOperationsTimeout(ModelOf(f.scenario.rules()), h.Operations(), 0) == porcupine.Illegal {
						caught = seed
					}
				})
			}
			if caught == 0 {
				t.Fatalf("%d histories without %s were all found linearizable", enough, f.name)
			}
			t.Logf("caught by seed %d", caught)
		})
	}
}
