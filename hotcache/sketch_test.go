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

func TestWhichReadMakesAKeyHot(t *testing.T) {
	for _, tt := range []struct {
		name      string
		threshold int
		times     []int64
		want      int // 0: none
	}{
		{"at once", 3, every(0, 10), 3},
		{"3 in 0.39 s", 3, every(195, 10), 3},
		{"4 in 0.87 s", 3, every(290, 10), 4},
		{"5 in 1.36 s", 3, every(340, 10), 5},
		{"3 a second", 3, every(333, 10), 5},
		{"2.5 a second", 3, every(400, 100), 8},
		{"2 a second", 3, every(500, 1000), 0},
		{"1 a second", 3, every(1000, 1000), 0},
		{"pairs every 2 s", 3, []int64{0, 1, 2000, 2001, 4000, 4001, 6000, 6001}, 0},
		{"a threshold of 1", 1, every(5000, 3), 1},
		{"a threshold of 2", 2, every(100, 3), 2},
		{"a threshold of 10", 10, every(10, 20), 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, start := range []int64{0, 12_345_678, math.MaxInt64/ms - 2_000_000} {
				c := newCache(t, Options{Threshold: tt.threshold})
				times := make([]int64, len(tt.times))
				for i := range times {
					times[i] = start + tt.times[i]
				}
				if got := reads(c, 1, times...); got != tt.want {
					t.Errorf("from %d ms on, read %d found the key hot, want %d", start, got, tt.want)
				}
			}
		})
	}
}

// However hot a key was, it is not hot any more a second and a half after the last read.
func TestAHotKeyCools(t *testing.T) {
	c := newCache(t, Options{})
	for i := range int64(100_000) {
		c.Touch(hashOf(1), i*ms/10)
	}
	if c.Touch(hashOf(1), 10*second+3*second/2) {
		t.Error("hot at the first read after a pause")
	}
}

// A goroutine may have read the clock before others touched the key, and the clock's low bits come around.
func TestTouchWithClocksThatDisagree(t *testing.T) {
	c := newCache(t, Options{})
	for range 10 {
		c.Touch(hashOf(1), 10*second)
	}
	if !c.Touch(hashOf(1), 10*second-300*ms) {
		t.Error("a key that is hot now was cold to a reader whose time is 0.3 s old")
	}
	if !c.Touch(hashOf(1), 10*second) {
		t.Error("a reader whose time is old made a hot key cold")
	}
	const around = int64(1) << (32 + tickShift)
	for range 2 {
		if c.Touch(hashOf(1), 10*second+around*3/4) {
			t.Error("a counter of long ago was taken for full")
		}
	}
}

func TestTouchCountsConcurrentReads(t *testing.T) {
	c := newCache(t, Options{Threshold: 4})
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

// The sketch against exact counters, of which there is one for every key.
func TestSketchAgainstExactCounters(t *testing.T) {
	for _, tt := range []struct {
		perSecond     float64
		missed, false float64 // at most, of all hot answers
	}{
		{20_000, 0.001, 0},
		{200_000, 0.02, 0},
	} {
		c := newCache(t, Options{})
		exact := map[int]int64{} // when the counter of a key is empty
		in := newStream(1_000_000, tt.perSecond, 1.1)
		var hot, missed, wrong, total int
		for in.now < 3e9 {
			key, now := in.next()
			tick := now >> tickShift
			level := min(max(exact[key]-tick, 0)+int64(pour), int64(c.sketch.hot+pour))
			exact[key] = tick + level
			want, got := level >= int64(c.sketch.hot), c.Touch(hashOf(key), now)
			total++
			switch {
			case want && !got:
				missed++
			case got && !want:
				wrong++
			}
			if want {
				hot++
			}
		}
		t.Logf("%v reads/s of 1 000 000 keys: %d reads, %d of them hot, %.2f%% of those missed, %.4f%% of others false",
			tt.perSecond, total, hot, 100*float64(missed)/float64(hot), 100*float64(wrong)/float64(total-hot))
		if float64(missed) > tt.missed*float64(hot) {
			t.Errorf("missed %d of %d", missed, hot)
		}
		if float64(wrong) > tt.false*float64(total-hot) {
			t.Errorf("took %d of %d for hot", wrong, total-hot)
		}
	}
}

// A million cold keys a second, each read once: none looks hot, and what is read often is still found.
func TestAFloodOfColdKeys(t *testing.T) {
	c := newCache(t, Options{})
	cold, hot, found := 0, 0, 0
	for i := range 600_000 {
		now := int64(i) * 1000
		if c.Touch(hashOf(1000+i), now) {
			cold++
		}
		if i%10 == 0 { // 100 keys, 1000 reads a second each
			hot++
			if c.Touch(hashOf(i/10%100), now) {
				found++
			}
		}
	}
	t.Logf("%d of 600 000 cold reads taken for hot; %d of %d hot reads found", cold, found, hot)
	if cold > 0 || found < hot*99/100 {
		t.Errorf("%d cold reads taken for hot, %d of %d hot reads found", cold, found, hot)
	}
}
