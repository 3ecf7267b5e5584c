package tally

import (
	"testing"
	"time"
)

func TestTimesFallIntoTheirBuckets(t *testing.T) {
	var times Times
	var want [Buckets]uint64
	var sum time.Duration
	add := func(d time.Duration, bucket int) {
		times.Add(d)
		want[bucket]++
		sum += d
	}
	add(0, 0)
	for i := range Buckets - 1 {
		add(Bound(i), i) // a bound is in its bucket, as Prometheus has it
		add(Bound(i)+1, i+1)
	}
	add(time.Hour, Buckets-1)
	if got := times.Counts(); got != want {
		t.Errorf("counts %v, want %v", got, want)
	}
	if got := times.Sum(); got != sum {
		t.Errorf("sum %v, want %v", got, sum)
	}
	if n := testing.AllocsPerRun(100, func() { times.Add(time.Second) }); n != 0 {
		t.Errorf("Add allocates %v times", n)
	}
}

func TestBoundsRise(t *testing.T) {
	for i := 1; i < Buckets-1; i++ {
		if Bound(i) <= Bound(i-1) {
			t.Errorf("bound %d is %v, after %v", i, Bound(i), Bound(i-1))
		}
	}
}
