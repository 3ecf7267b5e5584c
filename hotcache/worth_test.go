package hotcache

import "testing"

// What leases of a second are worth to a member that reads keys with Zipf frequencies: how many of its reads need no
// call, and how many reads each lease saves. A lease costs the owner a line in its books, and a write a round trip.
func TestLeasesAreWorthTheirCost(t *testing.T) {
	for _, tt := range []struct {
		threshold    int
		saved, lease float64 // at least: the share of reads saved, and reads saved for each lease
	}{
		{threshold: 1},
		{threshold: 2},
		{threshold: 3, saved: 0.5, lease: 8},
		{threshold: 5},
		{threshold: 10},
	} {
		c := newCache(t, Options{Threshold: tt.threshold})
		in := newStream(1_000_000, 20_000, 1.1)
		const warm, end = 2e9, 5e9
		var total, hits, leases, calls float64
		for in.now < end {
			key, now := in.next()
			e, renew := c.GetRenew(hashOf(key), keyName(key), now)
			lease := renew || e == nil && c.Touch(hashOf(key), now)
			if lease {
				keep(c, key, now+second, now)
			}
			if int64(in.now)/second != int64(in.now-1/in.perNs)/second {
				c.Sweep(now)
			}
			if in.now < warm {
				continue
			}
			total++
			if e != nil {
				hits++
			}
			if lease {
				leases++
			}
			if e == nil || renew {
				calls++
			}
		}
		saved, each := 1-calls/total, (total-calls)/leases
		t.Logf("threshold %2d: %.1f%% hits, %.1f%% of calls saved, %.0f leases/s, %.1f calls saved by each, %d copies, %d KiB",
			tt.threshold, 100*hits/total, 100*saved, leases/((end-warm)/1e9), each, c.Stats().Copies, c.Stats().Bytes>>10)
		if saved < tt.saved || each < tt.lease {
			t.Errorf("threshold %d: %.2f of calls saved, %.1f by each lease", tt.threshold, saved, each)
		}
	}
}
