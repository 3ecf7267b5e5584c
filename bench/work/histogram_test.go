package work

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketsAreNarrowAndOrdered(t *testing.T) {
	last := -1
	for _, v := range []uint64{0, 1, 63, 64, 65, 127, 128, 129, 1000, 1 << 20, 1<<20 + 1<<14, 1 << 40, 1 << 62} {
		i := bucket(v)
		if i < last {
			t.Errorf("bucket(%d) = %d, below that of a smaller value, %d", v, i, last)
		}
		last = i
		m := middle(i)
		if diff := max(m, v) - min(m, v); diff > v/64 {
			t.Errorf("%d is counted as %d, more than 1/64 away", v, m)
		}
	}
}

func TestQuantilesOfMergedHistograms(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	var merged Histogram
	for range 3 {
		var h Histogram
		for range 10_000 {
			d := time.Duration(rng.ExpFloat64() * 100_000)
			all = append(all, d)
			h.Record(d)
		}
		h.Pack()
		wire, err := json.Marshal(&h)
		if err != nil {
			t.Fatal(err)
		}
		var arrived Histogram
		if err := json.Unmarshal(wire, &arrived); err != nil {
			t.Fatal(err)
		}
		merged.Add(&arrived)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.99, 0.999, 0.9999} {
		got, want := merged.Quantile(q), all[int(q*float64(len(all)))]
		if diff := (got - want).Abs(); diff > want/32+1 {
			t.Errorf("quantile %v = %v, want about %v", q, got, want)
		}
	}
	if got := new(Histogram).Quantile(0.5); got != 0 {
		t.Errorf("quantile of nothing = %v", got)
	}
}
