package hotcache

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// collide runs a and b at the same moment, again and again for a while, and check after each pair. Two goroutines
// take turns at a and b. They wait for each other and then dally, for up to lag turns in b, so that over the rounds each
// step of one meets those of the other.
func collide(lag int, prepare, a, b, check func()) {
	const rounds, while = 50_000, 300 * time.Millisecond
	var turn, ready, done, end atomic.Int64
	end.Store(rounds)
	meet := func(round, side int, rng *rand.Rand) {
		f, turns := a, rng.IntN(50)
		if (round+side)%2 == 0 {
			f, turns = b, rng.IntN(lag)
		}
		ready.Add(1)
		await(&ready, 2*round)
		dally(&ready, turns)
		f()
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer turn.Store(rounds)
	defer end.Store(0)
	wg.Go(func() {
		rng := rand.New(rand.NewPCG(7, 1))
		for round := 1; ; round++ {
			await(&turn, round)
			if int64(round) > end.Load() {
				return
			}
			meet(round, 0, rng)
			done.Add(1)
		}
	})
	rng := rand.New(rand.NewPCG(7, 2))
	for round, start := 1, time.Now(); round < rounds && time.Since(start) < while; round++ {
		prepare()
		turn.Add(1)
		meet(round, 1, rng)
		await(&done, round)
		check()
	}
}

// await yields until the counter has come to n.
func await(counter *atomic.Int64, n int) {
	for spins := 1; counter.Load() < int64(n); spins++ {
		if spins%200 == 0 {
			runtime.Gosched()
		}
	}
}

// dally takes a few nanoseconds.
func dally(counter *atomic.Int64, turns int) {
	for range turns {
		counter.Load()
	}
}

func TestKeepCollidesWithInvalidate(t *testing.T) {
	for name, invalidate := range map[string]func(*Cache){
		"Invalidate":    func(c *Cache) { c.Invalidate(hashOf(1), 0) },
		"InvalidateAll": func(c *Cache) { c.InvalidateAll() },
		"Retain":        func(c *Cache) { c.Retain(func(uint64, string) bool { return false }) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t, Options{MaxBytes: MinBytes})
			e := entryOf(1)
			var f *Fetch
			collide(4000,
				func() { f = c.Begin(hashOf(1), keyName1) },
				func() { keepUntil(f, e, forever, 0) },
				func() { invalidate(c) },
				func() {
					if c.Get(hashOf(1), keyName1, 0) != nil {
						t.Fatal("the copy of a fetch that began before the invalidation is there after it")
					}
				})
			t.Logf("%+v", c.Stats())
		})
	}
}

func TestFetchCollidesWithClose(t *testing.T) {
	e := entryOf(1)
	var c *Cache
	collide(1000,
		func() {
			c, _ = New(Options{MaxBytes: MinBytes})
			c.open()
		},
		func() { keepUntil(c.Begin(hashOf(1), keyName1), e, forever, 0) },
		func() { c.Close() },
		func() {
			if s := c.Stats(); s.Copies != 0 || s.Bytes > 1024 {
				t.Fatalf("a copy was kept behind Close: %+v", s)
			}
		})
}

func TestKeepsCollideOverTheLastBytes(t *testing.T) {
	var c *Cache
	var f [2]*Fetch
	e := [2]*store.Entry{entryOf(1), entryOf(2)}
	collide(200,
		func() {
			c = newFull(t, e[0])
			f = [2]*Fetch{c.Begin(hashOf(1), e[0].Key), c.Begin(hashOf(2), e[1].Key)}
		},
		func() { keepUntil(f[0], e[0], forever, 0) },
		func() { keepUntil(f[1], e[1], forever, 0) },
		func() {
			if used := c.used.Load(); used > c.capacity.Load() {
				t.Fatalf("%d bytes charged, the capacity is %d", used, c.capacity.Load())
			}
		})
}

// newFull returns a cache with room for one copy of e and not for two.
func newFull(t *testing.T, e *store.Entry) *Cache {
	c, err := New(Options{MaxBytes: MinBytes})
	if err != nil {
		t.Fatal(err)
	}
	c.used.Store(c.capacity.Load() - charge(e))
	return c
}
