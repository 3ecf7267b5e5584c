package meshtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// Counters writes growing values into a group without a loader that may forget nothing, and
// reads them, through all members that are up, until it is stopped. Of a key there is one
// writer, so whoever reads finds what was answered with nil, or seen, before, or something
// newer.
type Counters struct {
	Seed    uint64
	Keys    int
	Readers int // in all
	Members int
	Group   func(member int) *cachemesh.Group[int] // nil while it is down; SetGroup changes it
	Timeout time.Duration
	Pause   time.Duration // between two operations of a client, at most
	Deletes bool          // every fifth write is a Delete

	stop chan struct{}
	work sync.WaitGroup
	once sync.Once

	mu     sync.Mutex // guards Group and the fields below
	floors []floor    // by key
	maybes map[maybe]bool
	counts CounterCounts
}

// floor is what nobody may find anything older than.
type floor struct {
	n       int
	deleted bool // n was a Delete: a value of n or less must not be found
}

// maybe is a write that may be applied, at any time.
type maybe struct{ k, n int }

// CounterCounts are what clients met.
type CounterCounts struct {
	Reads, Nils, Maybes, Errors int
	LongestWrite, LongestRead   time.Duration
	Broke                       []string
	Sample                      error
}

// Start begins. Stop must be called.
func (c *Counters) Start() {
	c.stop, c.floors, c.maybes = make(chan struct{}), make([]floor, c.Keys), make(map[maybe]bool)
	for k := range c.Keys {
		c.work.Go(func() { c.write(k, rand.New(rand.NewPCG(c.Seed, uint64(k)))) })
	}
	for r := range c.Readers {
		c.work.Go(func() { c.read(rand.New(rand.NewPCG(c.Seed, uint64(1000+r)))) })
	}
}

// Stop ends it and returns what clients met.
func (c *Counters) Stop() CounterCounts {
	c.once.Do(func() { close(c.stop) })
	c.work.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

// Check reads every key once through every member.
func (c *Counters) Check(members ...int) {
	for k := range c.Keys {
		for _, i := range members {
			c.look(k, i, c.group(i))
		}
	}
}

// SetGroup changes which members are used.
func (c *Counters) SetGroup(group func(member int) *cachemesh.Group[int]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Group = group
}

func (c *Counters) group(i int) *cachemesh.Group[int] {
	c.mu.Lock()
	f := c.Group
	c.mu.Unlock()
	return f(i)
}

func counterKey(k int) string { return fmt.Sprint("counter ", k) }

func (c *Counters) rest(rng *rand.Rand) bool {
	select {
	case <-c.stop:
		return false
	case <-time.After(1 + time.Duration(rng.Int64N(int64(c.Pause)))):
		return true
	}
}

func (c *Counters) write(k int, rng *rand.Rand) {
	for n := 1; c.rest(rng); n++ {
		g := c.group(rng.IntN(c.Members))
		if g == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
		began := time.Now()
		deletes := c.Deletes && rng.IntN(5) == 0
		var err error
		if deletes {
			err = g.Delete(ctx, counterKey(k))
		} else {
			err = g.Set(ctx, counterKey(k), n, 0)
		}
		cancel()
		c.mu.Lock()
		c.counts.LongestWrite = max(c.counts.LongestWrite, time.Since(began))
		pe, _ := errors.AsType[*cachemesh.PeerError](err)
		switch {
		case err == nil:
			c.counts.Nils++
			c.floors[k] = floor{n, deletes}
		case pe != nil && pe.MaybeApplied:
			c.counts.Maybes++
			c.maybes[maybe{k, n}] = true
			c.counts.Sample = err
			if deletes {
				c.floors[k].deleted = true // it may be gone, and be there
			}
		default:
			c.counts.Errors++
			c.counts.Sample = err
			if deletes {
				c.floors[k].deleted = true
			}
		}
		c.mu.Unlock()
	}
}

func (c *Counters) read(rng *rand.Rand) {
	for c.rest(rng) {
		i := rng.IntN(c.Members)
		if g := c.group(i); g != nil {
			c.look(rng.IntN(c.Keys), i, g)
		}
	}
}

func (c *Counters) look(k, member int, g *cachemesh.Group[int]) {
	c.mu.Lock()
	before := c.floors[k]
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	began := time.Now()
	v, err := g.Get(ctx, counterKey(k))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.LongestRead = max(c.counts.LongestRead, time.Since(began))
	now := c.floors[k]
	switch {
	case err == nil:
		c.counts.Reads++
		if v < before.n && !c.maybes[maybe{k, v}] || v == before.n && before.deleted && !c.Deletes {
			c.broke("%v: key %d: %d found by member %d after %+v", time.Now().Format("05.000"), k, v, member, before)
		}
		if v > now.n {
			c.floors[k] = floor{n: v, deleted: now.deleted}
		}
	case errors.Is(err, cachemesh.ErrNotFound):
		c.counts.Reads++
		if before.n > 0 && !before.deleted && !now.deleted && !c.Deletes {
			c.broke("%v: key %d: nothing found by member %d after %+v", time.Now().Format("05.000"), k, member, before)
		}
	default:
		c.counts.Errors++
		c.counts.Sample = err
	}
}

func (c *Counters) broke(format string, args ...any) {
	if len(c.counts.Broke) < 10 {
		c.counts.Broke = append(c.counts.Broke, fmt.Sprintf(format, args...))
	}
}
