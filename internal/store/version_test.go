package store

import (
	"math"
	"testing"
)

// TestVersionAfter: the primary counts before the clock. The schedule: an owner whose clock
// runs ahead writes a key and is cut off, the majority writes it by a slower clock, they
// meet. Versions that two members gave at the same time are told apart.
func TestVersionAfter(t *testing.T) {
	for _, test := range []struct {
		v, w Version
		want bool
	}{
		{Version{Primary: 2, Clock: 10}, Version{Primary: 1, Clock: 99}, true},
		{Version{Primary: 1, Clock: 99}, Version{Primary: 2, Clock: 10}, false},
		{Version{Primary: 1, Clock: 2}, Version{Primary: 1, Clock: 1}, true},
		{Version{Primary: 1, Clock: 1}, Version{Primary: 1, Clock: 2}, false},
		{Version{Primary: 1, Clock: 1}, Version{Primary: 1, Clock: 1}, false},
		{Version{Primary: 1, Clock: 1, Run: 2}, Version{Primary: 1, Clock: 1, Run: 1}, true},
		{Version{Primary: 1, Clock: 1, Run: 1}, Version{Primary: 1, Clock: 1, Run: 2}, false},
	} {
		if test.v.After(test.w) != test.want {
			t.Errorf("%+v: %t", test, !test.want)
		}
	}
}

func TestExtra(t *testing.T) {
	for bytes, want := range map[int64]int64{
		-1: 0, 0: 0, 1: 16, 16: 16, 17: 32, 1 << 30: 1 << 30,
		math.MaxUint32<<4 - 16: math.MaxUint32<<4 - 16,
		math.MaxUint32<<4 - 15: math.MaxInt64,
		math.MaxInt64:          math.MaxInt64,
	} {
		if got := ExtraOf(bytes).Bytes(); got != want {
			t.Errorf("%d: %d, not %d", bytes, got, want)
		}
	}
}
