package hotcache

import "testing"

// What copies are worth to a member that reads keys with Zipf frequencies while others change one in a hundred reads' worth of
// them: how many of its reads need no call, and how many reads each copy saves. A copy costs the owner a
// registration, and a write a round trip.
func TestCopiesAreWorthTheirCost(t *testing.T) {
	for _, tt := range []struct {
		name       string
		bytes      int64
		changes    int     // a change for so many reads
		hits, each float64 // at least: the share of reads that hit, and reads saved by each copy
		most       float64 // of reads ask for a copy
	}{
		{name: "room for all", bytes: 32 << 20, changes: 100, hits: 0.80, each: 4, most: 0.12},
		{name: "room for a tenth", bytes: 1 << 20, changes: 100, hits: 0.60, each: 5, most: 0.05},
		{name: "as many changes as reads", bytes: 32 << 20, changes: 1, most: 0.2},
	} {
		c := newCache(t, Options{MaxBytes: tt.bytes})
		in, writes := newStream(50_000, 5_000, 1.1), newStream(50_000, 5_000, 1.1)
		for range 1000 {
			writes.next() // so that it does not write what is read
		}
		const warm, end = 10e9, 40e9
		var total, hits, copies float64
		for n := 0; in.now < end; n++ {
			key, now := in.next()
			if n%tt.changes == 0 {
				changed, _ := writes.next()
				c.Invalidate(hashOf(changed), now)
			}
			e, _ := c.Hit(hashOf(key), keyName(key), now)
			wanted := e == nil && c.Touch(hashOf(key), now)
			if wanted {
				keep(c, key, forever, now)
			}
			if in.now < warm {
				continue
			}
			total++
			if e != nil {
				hits++
			}
			if wanted {
				copies++
			}
		}
		t.Logf("%s: %.1f%% hits, %.0f copies/s, %.1f reads saved by each, %d copies, %d KiB",
			tt.name, 100*hits/total, copies/((end-warm)/1e9), hits/copies, c.Stats().Copies, c.Stats().Bytes>>10)
		if hits/total < tt.hits || hits/copies < tt.each || copies/total > tt.most {
			t.Errorf("%s: %.2f of reads hit, %.1f for each copy, which %.2f of reads asked for", tt.name, hits/total, hits/copies, copies/total)
		}
	}
}
