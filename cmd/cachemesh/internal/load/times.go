package load

import (
	"math/bits"
	"time"
)

// Times count how long requests took, to a 16th of it.
type Times struct {
	Count int
	Most  time.Duration
	at    [64 << fine]int
}

const fine = 4 // bits of a time below its highest

func (t *Times) note(took time.Duration) {
	t.Count++
	t.Most = max(t.Most, took)
	t.at[bucket(uint64(max(took, 0)))]++
}

// bucket returns where a time is counted.
func bucket(n uint64) int {
	if n < 1<<fine {
		return int(n)
	}
	high := bits.Len64(n) - 1 - fine
	return (high+1)<<fine | int(n>>high)&(1<<fine-1)
}

// top returns the longest time that is counted there.
func top(bucket int) time.Duration {
	high := bucket>>fine - 1
	if high < 0 {
		return time.Duration(bucket)
	}
	return time.Duration((1<<fine|bucket&(1<<fine-1)+1)<<high - 1)
}

func (t *Times) add(o *Times) {
	t.Count += o.Count
	t.Most = max(t.Most, o.Most)
	for i, n := range o.at {
		t.at[i] += n
	}
}

// At returns the time that so many of a hundred took at most, rounded up by a 16th at most.
func (t *Times) At(percent float64) time.Duration {
	want := int(percent / 100 * float64(t.Count))
	for i, n := range t.at {
		if want -= n; want < 0 {
			return min(top(i), t.Most)
		}
	}
	return t.Most
}
