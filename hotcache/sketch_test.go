package hotcache

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
)

// reads touches a key at each of the times, in milliseconds, and returns which of them, from 1, first found it hot.
func reads(c *Cache, key int, times ...int64) int {
	for i, at := range times {
		if c.Touch(hashOf(key), at*ms) {
			return i + 1
		}
	}
	return 0
}

func every(interval int64, n int) (times []int64) {
	for i := range int64(n) {
		times = append(times, i*interval)
	}
	return times
}

// TestReadsThatMakeACopyWorthIt: with a threshold as many as it says, within some minutes.
func TestReadsThatMakeACopyWorthIt(t *testing.T) {
	for _, tt := range []struct {
		name      string
		threshold int
		times     []int64
		want      int // 0: none
	}{
		{"the first while there is room", 0, every(5000, 3), 1},
		{"a threshold of 1", 1, every(5000, 3), 1},
		{"a threshold of 2", 2, every(100, 3), 2},
		{"twice in three minutes", 2, []int64{0, 175_000}, 2},
		{"twice in ten minutes", 2, []int64{0, 600_000}, 0},
		{"once a minute", 3, every(60_000, 10), 3},
		{"a threshold of 10", 10, every(10, 20), 10},
		{"a threshold of 1000", 1000, every(1, 1001), 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, start := range []int64{0, 12_345_678, math.MaxInt64/ms - 2_000_000} {
				c := newCache(t, Options{Threshold: tt.threshold})
				times := make([]int64, len(tt.times))
				for i := range times {
					times[i] = start + tt.times[i]
				}
				if got := reads(c, 1, times...); got != tt.want {
					t.Errorf("from %d ms on, read %d asks for a copy, want %d", start, got, tt.want)
				}
			}
		})
	}
}

// TestCopiesThatNobodyReads cost more reads each time, up to a bound, and what is read is had at once again by and by.
func TestCopiesThatNobodyReads(t *testing.T) {
	c := newCache(t, Options{})
	copyOf := func(read int) (asked int) {
		for asked = 1; !c.Touch(hashOf(1), 0); asked++ {
		}
		keep(c, 1, forever, 0)
		for range read {
			c.Hit(hashOf(1), keyName(1), 0)
		}
		c.Invalidate(hashOf(1), 0)
		return asked
	}
	for i, tt := range []struct{ read, want int }{
		{0, 1}, {0, 2}, {0, 4}, {1, 8}, {2, 8}, {5, 4}, {0, 2}, {5, 4}, {5, 2}, {5, 1}, {5, 1},
	} {
		if got := copyOf(tt.read); got != tt.want {
			t.Errorf("copy %d was asked for by read %d, want %d", i, got, tt.want)
		}
	}
	for range 20 {
		copyOf(0)
	}
	if got := copyOf(0); got != 1<<maxNeed {
		t.Errorf("a copy was asked for by read %d, want %d at most", got, 1<<maxNeed)
	}
	if !c.Touch(hashOf(1), (maxNeed+1)*200*second) {
		t.Error("what copies were not worth is not forgotten in twenty minutes")
	}
}

// TestAFullCacheWantsTwoReads, so that a scan pushes out nothing that is in use.
func TestAFullCacheWantsTwoReads(t *testing.T) {
	c := newCache(t, Options{MaxBytes: 1 << 20})
	used := 0
	for ; c.Touch(hashOf(used), 0); used++ {
		keep(c, used, forever, 0)
		c.Hit(hashOf(used), keyName(used), 0)
	}
	kept := c.Stats().Copies
	for i := range 100_000 {
		if key := used + 1 + i; c.Touch(hashOf(key), 0) {
			keep(c, key, forever, 0)
		}
	}
	there := 0
	for key := range used {
		if c.Get(hashOf(key), keyName(key), 0) != nil {
			there++
		}
	}
	t.Logf("%d copies; after a scan of 100 000 keys %d of the %d that were used are there", kept, there, used)
	if there < used*98/100 {
		t.Errorf("a scan pushed out %d of %d copies in use", used-there, used)
	}
}

// A goroutine may have read the clock before others touched the key, and the clock's low bits come around.
func TestTouchWithClocksThatDisagree(t *testing.T) {
	c := newCache(t, Options{Threshold: 3})
	for range 10 {
		c.Touch(hashOf(1), 1000*second)
	}
	if !c.Touch(hashOf(1), 990*second) {
		t.Error("a key that is read often now was not to a reader whose time is old")
	}
	if !c.Touch(hashOf(1), 1000*second) {
		t.Error("a reader whose time is old made the key one that is not read")
	}
}

func TestTouchCountsConcurrentReads(t *testing.T) {
	c := newCache(t, Options{Threshold: 4, MaxBytes: 32 << 20})
	var wg sync.WaitGroup
	var hot [1000]bool
	for worker := range 4 {
		wg.Go(func() {
			for i := range hot {
				if got := c.Touch(hashOf(i), 0); worker == 0 {
					hot[i] = got
				}
			}
		})
	}
	wg.Wait()
	for i := range hot {
		if !hot[i] && !c.Touch(hashOf(i), 0) && !c.Touch(hashOf(i), 0) {
			t.Errorf("key %d was read at least five times at once and is not hot", i)
		}
	}
}

// A stream reads keys at random, evenly in time, with Zipf frequencies.
type stream struct {
	zipf  *rand.Zipf
	perNs float64
	now   float64
}

func newStream(keys int, perSecond, s float64) *stream {
	return &stream{zipf: rand.NewZipf(rand.New(rand.NewPCG(5, 6)), s, 1, uint64(keys-1)), perNs: perSecond / 1e9}
}

func (s *stream) next() (key int, now int64) {
	s.now += 1 / s.perNs
	return int(s.zipf.Uint64()), int64(s.now)
}

// TestAFloodOfKeysReadOnce: a million a second; none is taken for one that is read twice, and
// what is read often is still found.
func TestAFloodOfKeysReadOnce(t *testing.T) {
	c := newCache(t, Options{Threshold: 2})
	once, often, found := 0, 0, 0
	for i := range 600_000 {
		now := int64(i) * 1000
		if c.Touch(hashOf(1000+i), now) {
			once++
		}
		if i%10 == 0 { // 100 keys, 1000 reads a second each
			often++
			if c.Touch(hashOf(i/10%100), now) {
				found++
			}
		}
	}
	t.Logf("%d of 600 000 keys read once taken for others; %d of %d reads found", once, found, often)
	if once > 1 || found < often*99/100 {
		t.Errorf("%d keys read once taken for others, %d of %d reads found", once, found, often)
	}
}
