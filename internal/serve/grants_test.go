package serve

import (
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
)

// TestCopiesOfTwoSessions: the caller's session is broken, and it has another, while the keys of its GetMany are looked at.
// Copies are granted under the first alone, and a renewal of the other is not told with them: who took the number of one for
// that of the other would serve copies whose owner tells somebody else.
func TestCopiesOfTwoSessions(t *testing.T) {
	for _, test := range []struct {
		numbers []uint64 // under which each key is granted; 0: it is not
		renewed uint64
		granted []bool
		number  uint64
		lease   time.Duration
	}{
		{[]uint64{1, 1, 1}, 1, []bool{true, true, true}, 1, time.Second},
		{[]uint64{1, 2, 2}, 1, []bool{true, false, false}, 1, time.Second},
		{[]uint64{2, 2, 2}, 1, []bool{true, true, true}, 2, 0},
		{[]uint64{0, 2, 1}, 1, []bool{false, true, false}, 2, 0},
		{[]uint64{0, 0, 0}, 1, []bool{false, false, false}, 1, time.Second},
		{[]uint64{1, 1, 0}, 0, []bool{true, true, false}, 1, 0},
	} {
		var resp httppool.Response
		for i, number := range test.numbers {
			if got := noteGrant(&resp, number); got != test.granted[i] {
				t.Errorf("%v: key %d is granted: %v", test.numbers, i, got)
			}
		}
		term := time.Second
		if test.renewed == 0 {
			term = 0
		}
		if putRenewal(&resp, test.renewed, term); resp.View != test.number || resp.Lease != test.lease {
			t.Errorf("%v, renewed %d: session %d, extended by %v", test.numbers, test.renewed, resp.View, resp.Lease)
		}
	}
}
