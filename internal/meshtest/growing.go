package meshtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// Growing writes into a group that may forget nothing, by one writer a key, which numbers its
// Sets and Deletes, and reads through all members, those included that are cut off, for as long
// as they take themselves for a part of the majority. Whoever reads finds the last of those that
// were answered with nil, or seen, before it began, or a later one.
type Growing struct {
	Seed    uint64
	Keys    int
	Stage   *Stage
	Members int

	stop chan struct{}
	work sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	keys   []grown
	Nils   int
	Maybes int
	Reads  int
	Broke  []string
}

// grown is what is known of one key.
type grown struct {
	deletes []bool       // of each write that was begun, from the first, whether it is a Delete
	maybe   map[int]bool // writes that may be applied, at any time
	floor   int          // nobody may find anything older than what the so manieth write made
}

// Start begins. Stop must be called.
func (g *Growing) Start() {
	g.stop, g.keys = make(chan struct{}), make([]grown, g.Keys)
	for k := range g.Keys {
		g.work.Go(func() { g.write(k, rand.New(rand.NewPCG(g.Seed, uint64(k)))) })
	}
	for r := range 2 * g.Members {
		g.work.Go(func() {
			rng := rand.New(rand.NewPCG(g.Seed, uint64(1000+r)))
			for g.rest(rng, 5*time.Millisecond) {
				g.Look(rng.IntN(g.Keys), r%g.Members)
			}
		})
	}
}

// Stop ends it.
func (g *Growing) Stop() {
	close(g.stop)
	g.work.Wait()
}

func (g *Growing) rest(rng *rand.Rand, most time.Duration) bool {
	select {
	case <-g.stop:
		return false
	case <-time.After(1 + time.Duration(rng.Int64N(int64(most)))):
		return true
	}
}

// near returns a member, half of the time one that takes itself for the owner of a key.
func (g *Growing) near(k int, rng *rand.Rand) int {
	at := rng.IntN(g.Members)
	for i := range g.Members * rng.IntN(2) {
		one := (at + i) % g.Members
		if n := g.Stage.Node(one); g.Stage.Values(one) != nil && seam.Inside(n).OwnerAddr(valuesGroup, counterKey(k)) == n.Addr() {
			return one
		}
	}
	return at
}

func (g *Growing) write(k int, rng *rand.Rand) {
	for g.rest(rng, 30*time.Millisecond) {
		group := g.Stage.Values(g.near(k, rng))
		if group == nil {
			continue
		}
		isDelete := rng.IntN(4) == 0
		g.mu.Lock()
		key := &g.keys[k]
		key.deletes = append(key.deletes, isDelete)
		n := len(key.deletes)
		g.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		var err error
		if isDelete {
			err = group.Delete(ctx, counterKey(k))
		} else {
			err = group.Set(ctx, counterKey(k), n, 0)
		}
		cancel()
		g.mu.Lock()
		if err == nil {
			g.Nils++
			key.floor = max(key.floor, n)
		} else {
			g.Maybes++
			if key.maybe == nil {
				key.maybe = make(map[int]bool)
			}
			key.maybe[n] = true
		}
		g.mu.Unlock()
	}
}

// Look reads a key at a member.
func (g *Growing) Look(k, member int) {
	group := g.Stage.Values(member)
	node := g.Stage.Node(member)
	if group == nil || node.Stats().Mode != "majority" {
		return
	}
	g.mu.Lock()
	least := g.keys[k].floor
	g.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	v, err := group.Get(ctx, counterKey(k))
	missing := errors.Is(err, cachemesh.ErrNotFound)
	if err != nil && !missing || node.Stats().Mode != "majority" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Reads++
	key := &g.keys[k]
	if missing {
		ok := least == 0
		for n := 1; n <= len(key.deletes) && !ok; n++ {
			ok = key.deletes[n-1] && (n >= least || key.maybe[n])
		}
		if !ok {
			g.broke(k, member, "nothing", least)
		}
		return
	}
	if v < least && !key.maybe[v] {
		g.broke(k, member, fmt.Sprint(v), least)
	}
	key.floor = max(key.floor, v)
}

// Note notes something else that is not as it should be.
func (g *Growing) Note(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Broke = append(g.Broke, what)
}

func (g *Growing) broke(k, member int, found string, least int) {
	if len(g.Broke) < 10 {
		g.Broke = append(g.Broke, fmt.Sprintf("%v: key %d: %s found by member %d after %d (a Delete: %t)", time.Now().Format("05.000"), k, found, member, least,
			g.keys[k].deletes[least-1]))
	}
}
