package report

import (
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		xs   []float64
		want float64
	}{
		{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := Median(test.xs); got != test.want {
			t.Errorf("Median(%v) = %v, want %v", test.xs, got, test.want)
		}
	}
}

// sample returns a measured sample.
func sample(cell, system string, round int, rate float64) Sample {
	return Sample{Cell: cell, System: system, Round: round, Rate: rate, Ops: 1}
}

func TestCompareTakesRatiosWithinRounds(t *testing.T) {
	all := Samples{
		sample("get", "a", 1, 100), sample("get", "b", 1, 50), // 2
		sample("get", "a", 2, 10), sample("get", "b", 2, 2), // 5: the machine was slow
		sample("get", "a", 3, 90), sample("get", "b", 3, 30), // 3
		sample("get", "a", 4, 1000), // b failed in this round
		sample("other", "b", 4, 1),
	}
	got := all.Compare(Rate, "get", "a", "get", "b")
	if want := (Ratio{Median: 3, Min: 2, Max: 5, Rounds: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCompareWithoutAMeasurement(t *testing.T) {
	failed := Sample{Cell: "get", System: "b", Round: 1, Failure: "no"}
	all := Samples{sample("get", "a", 1, 100), failed}
	if got := all.Compare(Rate, "get", "a", "get", "b"); got != (Ratio{}) {
		t.Errorf("got %+v, want no ratio", got)
	}
	if got := all.Trouble(); len(got) != 1 || got[0] != "get, b: no" {
		t.Errorf("trouble = %q", got)
	}
}

func TestASampleOfErrorsIsNoMeasurement(t *testing.T) {
	s := Sample{Ops: 10, Errors: 10}
	if s.Measured() {
		t.Error("ten errors in ten operations count as a measurement")
	}
}

func TestSystemsBestFirst(t *testing.T) {
	all := Samples{sample("get", "slow", 1, 1), sample("get", "fast", 1, 9), sample("get", "middle", 1, 5)}
	got := all.Systems("get", Rate, true)
	if want := []string{"fast", "middle", "slow"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
