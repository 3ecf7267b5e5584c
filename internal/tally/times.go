// Package tally counts how long things take: in fixed buckets, without a lock.
package tally

import (
	"sync/atomic"
	"time"
)

// Buckets is how many there are; the last one has no bound.
const Buckets = 18

const us, ms, s = time.Microsecond, time.Millisecond, time.Second

// bounds are the longest times of each bucket but the last.
var bounds = [Buckets - 1]time.Duration{100 * us, 250 * us, 500 * us, 1 * ms, 2500 * us, 5 * ms, 10 * ms, 25 * ms, 50 * ms,
	100 * ms, 250 * ms, 500 * ms, 1 * s, 2500 * ms, 5 * s, 10 * s, 30 * s}

// Bound returns the longest time that bucket i counts; i is less than Buckets-1.
func Bound(i int) time.Duration { return bounds[i] }

// Times counts times. Its methods are called concurrently and allocate nothing.
type Times struct {
	counts [Buckets]atomic.Uint64
	sum    atomic.Int64 // nanoseconds
}

// Add counts one.
func (t *Times) Add(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	t.sum.Add(int64(d))
	t.counts[i].Add(1)
}

// Sum returns the total of what was counted.
func (t *Times) Sum() time.Duration { return time.Duration(t.sum.Load()) }

// Counts returns how many each bucket counted.
func (t *Times) Counts() (counts [Buckets]uint64) {
	for i := range t.counts {
		counts[i] = t.counts[i].Load()
	}
	return counts
}
