package clock

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// A version is greater than all that were given or seen, and follows the wall clock.
func TestVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, wall := new(Clock), uint64(time.Now().UnixNano())
		c.Start()
		for i := range uint64(3) {
			if got := c.NextVersion(); got != wall+i {
				t.Errorf("version %d is the wall clock's %+d", i, int64(got-wall))
			}
		}
		c.SeeVersion(wall + 100)
		c.SeeVersion(wall + 50) // it was seen already
		if got := c.NextVersion(); got != wall+101 {
			t.Errorf("after one that was seen: %+d", int64(got-wall))
		}
		time.Sleep(time.Second)
		if got := c.NextVersion(); got != wall+uint64(time.Second) {
			t.Errorf("a second later: %+d", int64(got-wall))
		}
		if got := c.Now(); got != int64(time.Second) {
			t.Errorf("Now = %v", time.Duration(got))
		}
	})
}

func TestLater(t *testing.T) {
	for _, x := range []struct {
		t    int64
		d    time.Duration
		want int64
	}{
		{5, 7, 12}, {math.MaxInt64 - 7, 7, math.MaxInt64}, {math.MaxInt64 - 7, 8, math.MaxInt64}, {math.MaxInt64 - 7, 6, math.MaxInt64 - 1},
		{math.MaxInt64, 0, math.MaxInt64}, {9, math.MaxInt64, math.MaxInt64},
	} {
		if got := Later(x.t, x.d); got != x.want {
			t.Errorf("Later(%d, %d) = %d, want %d", x.t, x.d, got, x.want)
		}
	}
}
