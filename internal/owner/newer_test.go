package owner

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// TestNewer: the primary counts before the clock. The schedule: an owner whose clock runs
// ahead writes a key and is cut off, the majority writes it by a slower clock, they meet.
func TestNewer(t *testing.T) {
	for _, test := range []struct {
		primary, than     uint32
		version, version2 uint64
		want              bool
	}{
		{2, 1, 10, 99, true},
		{1, 2, 99, 10, false},
		{1, 1, 2, 1, true},
		{1, 1, 1, 2, false},
		{1, 1, 1, 1, false},
	} {
		a := &store.Entry{Primary: test.primary, Version: test.version}
		b := &store.Entry{Primary: test.than, Version: test.version2}
		if newer(a, b) != test.want {
			t.Errorf("%+v: %t", test, !test.want)
		}
	}
}
