package work

import (
	"math/bits"
	"time"
)

// subBits is the number of bits of precision: a bucket is at most 1/64 of its
// value wide.
const subBits = 6

// A Histogram counts durations in buckets whose width grows with their value,
// as HdrHistogram does. It is used by one goroutine at a time.
type Histogram struct {
	Counts map[int]uint64 // by bucket; nil until Pack
	dense  []uint64
	total  uint64
}

// bucket returns the index of the bucket of a value: values below 2^subBits
// have one each, every later power of two has 2^subBits.
func bucket(v uint64) int {
	if v < 1<<subBits {
		return int(v)
	}
	shift := bits.Len64(v) - 1 - subBits
	return (shift+1)<<subBits + int(v>>shift)&(1<<subBits-1)
}

// middle returns a value in the middle of a bucket.
func middle(i int) uint64 {
	if i < 1<<subBits {
		return uint64(i)
	}
	shift := i>>subBits - 1
	low := (uint64(1)<<subBits + uint64(i&(1<<subBits-1))) << shift
	return low + uint64(1)<<shift/2
}

// Record counts a duration.
func (h *Histogram) Record(d time.Duration) {
	i := bucket(uint64(max(d, 0)))
	if i >= len(h.dense) {
		h.dense = append(h.dense, make([]uint64, i+1<<subBits-len(h.dense))...)
	}
	h.dense[i]++
	h.total++
}

// Pack moves the counts to Counts, which is what crosses between processes.
func (h *Histogram) Pack() {
	h.Counts = make(map[int]uint64)
	for i, n := range h.dense {
		if n > 0 {
			h.Counts[i] = n
		}
	}
}

// Add adds the counts of a packed or unpacked histogram.
func (h *Histogram) Add(o *Histogram) {
	add := func(i int, n uint64) {
		if i >= len(h.dense) {
			h.dense = append(h.dense, make([]uint64, i+1-len(h.dense))...)
		}
		h.dense[i] += n
		h.total += n
	}
	if o.dense == nil {
		for i, n := range o.Counts {
			add(i, n)
		}
		return
	}
	for i, n := range o.dense {
		if n > 0 {
			add(i, n)
		}
	}
}

// Quantile returns the duration below which the share q of all lies, zero if
// nothing was recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.total))
	for i, n := range h.dense {
		if n > rank {
			return time.Duration(middle(i))
		}
		rank -= n
	}
	return 0
}
