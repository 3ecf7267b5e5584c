package load

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Percentiles are those of the times, no more than a 16th above.
func TestTimes(t *testing.T) {
	var times Times
	var all []time.Duration
	for range 100000 {
		d := time.Duration(rand.ExpFloat64() * float64(time.Millisecond))
		all = append(all, d)
		times.note(d)
	}
	var sum Times
	sum.add(&times)
	slices.Sort(all)
	for _, percent := range []float64{0, 50, 90, 99, 99.9, 100} {
		want := all[min(int(percent/100*float64(len(all))), len(all)-1)]
		if got := sum.At(percent); got < want || got > want+want/16+1 {
			t.Errorf("%v %%: %v, want %v", percent, got, want)
		}
	}
	for n := range uint64(5000) {
		if b := bucket(n); uint64(top(b)) < n || b > 0 && uint64(top(b-1)) >= n {
			t.Fatalf("%d is in the bucket to %d", n, top(b))
		}
	}
}

func TestCheck(t *testing.T) {
	good := Options{Clients: 1, Requests: 1, Keys: 1, Reads: 1, Pipeline: 1}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for i, change := range []func(*Options){
		func(o *Options) { o.Clients = 0 }, func(o *Options) { o.Requests = 0 }, func(o *Options) { o.Duration = -1 }, func(o *Options) { o.Keys = 0 },
		func(o *Options) { o.Size = -1 }, func(o *Options) { o.Reads = 1.1 }, func(o *Options) { o.Pipeline = 0 },
	} {
		o := good
		if change(&o); o.Check() == nil {
			t.Errorf("%d: %+v", i, o)
		}
	}
	if _, err := Run(t.Context(), Options{Addr: "127.0.0.1:1", Clients: 3, Requests: 10, Keys: 1, Pipeline: 1}); err == nil || errors.As(err, new(memberError)) {
		t.Errorf("nobody listens: %v", err)
	}
}
