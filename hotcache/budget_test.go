package hotcache

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/store"
)

func TestBytesNeverPassTheBudget(t *testing.T) {
	for _, budget := range []int64{MinBytes, 10_000, 64 << 10, 1 << 20} {
		c := newCache(t, Options{MaxBytes: budget})
		rng := rand.New(rand.NewPCG(1, uint64(budget)))
		kept, now := 0, int64(0)
		for range 5000 {
			i := rng.IntN(2000)
			e := entryOf(i)
			e.Data = make([]byte, rng.IntN(int(budget/6)))
			e.Extra = store.ExtraOf(rng.Int64N(100))
			c.Touch(hashOf(i), now)
			if keepUntil(c.Begin(hashOf(i), e.Key), e, now+rng.Int64N(second), now) {
				kept++
				if c.Get(hashOf(i), e.Key, now) == nil {
					t.Fatal("what was kept is not there")
				}
			}
			if s := c.Stats(); s.Bytes > budget {
				t.Fatalf("%d bytes, the budget is %d", s.Bytes, budget)
			}
			now += rng.Int64N(10 * ms)
		}
		if kept < 2500 {
			t.Errorf("budget %d: kept %d of 5000", budget, kept)
		}
	}
}

func TestOneValueDoesNotEmptyTheCache(t *testing.T) {
	c := newCache(t, Options{MaxBytes: 64 << 10})
	for i := range 20 {
		keep(c, i, forever, 0)
	}
	for _, e := range []*store.Entry{
		{Key: keyName(30), Data: make([]byte, 20<<10)},
		{Key: keyName(30), Extra: store.ExtraOf(math.MaxInt64)},
		{Key: keyName(30), Extra: store.ExtraOf(1 << 40)},
	} {
		if keepUntil(c.Begin(hashOf(30), e.Key), e, forever, 0) {
			t.Errorf("kept %d bytes", e.Size())
		}
	}
	if s := c.Stats(); s.Copies != 20 || s.OverBudget != 3 || s.Evicted != 0 {
		t.Errorf("got %+v", s)
	}
}

// A full cache gives up what has lapsed before what is live.
func TestLapsedCopiesMakeRoomFirst(t *testing.T) {
	c := newCache(t, Options{MaxBytes: 1 << 20})
	n := 0
	for ; c.used.Load() <= c.capacity.Load()-charge(entryOf(0)); n++ {
		keep(c, n, second+min(int64(n%20), 1)*second, 0) // one in 20 lapses after a second
	}
	evicted := c.Stats().Evicted
	for i := n; i < n+60; i++ {
		if c.table.Load().set(c.scatter.Of(hashOf(i))).wayOfLocked(nil) < 0 {
			continue // full: one of its own would have to go
		}
		if _, ok := keep(c, i, 3*second, second); !ok {
			t.Fatalf("key %d was not kept: %+v", i, c.Stats())
		}
	}
	if got := c.Stats().Evicted - evicted; got > 0 {
		t.Errorf("%d live copies of %d were evicted while lapsed ones were there", got, n)
	}
}

func TestSweepGivesLapsedBytesBack(t *testing.T) {
	c := newCache(t, Options{})
	for i := range 1000 {
		keep(c, i, second+int64(i%2), 0)
	}
	c.Sweep(second - 1)
	if got := c.Stats().Copies; got != 1000 {
		t.Errorf("%d copies before any lapsed", got)
	}
	c.Sweep(second)
	if got := c.Stats().Copies; got != 500 {
		t.Errorf("%d copies, want the half that is live", got)
	}
	c.Sweep(second + 1)
	if s := c.Stats(); s.Copies != 0 || s.Bytes != s.Bookkeeping || s.Invalidated != 0 {
		t.Errorf("got %+v", s)
	}
}

// The bytes charged are at least those taken from the heap, and not many more.
func TestHeap(t *testing.T) {
	const n = 20_000
	before := heap()
	c := newCache(t, Options{MaxBytes: 64 << 20})
	c.Touch(0, 0)
	fixed := func() int64 { return c.Stats().Bookkeeping }
	for i := range n {
		if _, ok := keep(c, i, forever, 0); !ok {
			t.Fatal("not kept")
		}
	}
	taken, charged := heap()-before, c.Stats().Bytes
	t.Logf("a copy of 15+100 bytes takes %d bytes and is charged %d; the table and sketch of 64 MiB take %d",
		(taken-fixed())/n, (charged-fixed())/n, fixed())
	if taken > charged+64<<10 || taken < charged/2 {
		t.Errorf("%d bytes were taken from the heap and %d charged", taken, charged)
	}
	runtime.KeepAlive(c)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestResize drops all copies, keeps nothing of fetches under way, and holds to the new
// budget.
func TestResize(t *testing.T) {
	c, err := New(Options{MaxBytes: 1 << 20, Threshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	keep := func(i int) bool { return keepUntil(c.Begin(hashOf(i), entryOf(i).Key), entryOf(i), 1000, 0) }
	for _, budget := range []int64{1 << 20, 64 << 10, 0, MinBytes, 4 << 20} {
		under := c.Begin(hashOf(1), entryOf(1).Key)
		c.Resize(budget)
		if s := c.Stats(); s.Copies != 0 || c.used.Load() != 0 || c.Get(hashOf(1), entryOf(1).Key, 0) != nil {
			t.Errorf("budget %d: %d copies, %d bytes after Resize", budget, s.Copies, s.Bytes)
		}
		if keepUntil(under, entryOf(1), 1000, 0) {
			t.Errorf("budget %d: a fetch from before Resize is kept", budget)
		}
		kept := 0
		for i := range 20_000 {
			c.Touch(hashOf(i), 0)
			if keep(i) {
				kept++
			}
		}
		if s := c.Stats(); budget > 0 && s.Bytes > budget || budget > MinBytes && s.Copies == 0 || budget == 0 && kept > 0 {
			t.Errorf("budget %d: %d copies, %d bytes, %d kept", budget, s.Copies, s.Bytes, kept)
		}
	}
	c.Close()
	c.Resize(1 << 20)
	if keep(1) {
		t.Error("a closed cache keeps a copy after Resize")
	}
}
