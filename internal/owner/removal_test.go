package owner

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/labels"
)

// TestRemovalsAreRemembered, so many and so large ones; of those before, that they hit is taken
// for granted.
func TestRemovalsAreRemembered(t *testing.T) {
	var x labels.Index
	a := x.New("key", []string{"a"})
	for _, size := range []int{1, maxRemovalBytes / 10} {
		var r removals
		r.note(Removal{Tags: []string{"a"}})
		r.note(Removal{Tags: []string{"b"}})
		r.note(Removal{Prefix: "k"})
		for _, test := range []struct {
			since uint64
			key   string
			label *labels.Label
			want  uint64
		}{{0, "x", a, 1}, {1, "x", a, 0}, {0, "x", nil, 0}, {1, "key", nil, 3}, {3, "key", a, 0}, {1, "x", x.Unknown("x"), 2},
			{0, "key", x.Unknown("key"), 1}, {2, "key", x.Unknown("key"), 3}} {
			if got := r.hit(test.since, test.key, test.label); got != test.want {
				t.Errorf("since %d, %s: hit by %d, want %d", test.since, test.key, got, test.want)
			}
		}
		for i := range maxRemovals - 1 {
			r.note(Removal{Tags: []string{strings.Repeat("z", size) + fmt.Sprint(i)}})
		}
		if r.hit(0, "x", nil) == 0 || r.hit(r.count.Load(), "key", a) != 0 || r.hit(r.count.Load()-1, "key", a) != 0 {
			t.Error("a removal that is forgotten hits nothing, or one that does not hits")
		}
		if len(r.last) > maxRemovals || r.bytes > maxRemovalBytes {
			t.Errorf("%d removals of %d bytes", len(r.last), r.bytes)
		}
	}
}

// FuzzRemoval reads what no member sends.
func FuzzRemoval(f *testing.F) {
	for _, r := range []Removal{{Tags: []string{"a", "b"}}, {Prefix: "p"}} {
		_, list := r.Pack()
		f.Add(list, r.Tags != nil)
	}
	f.Fuzz(func(t *testing.T, list []byte, tags bool) {
		op := (&Removal{Prefix: "p"}).op()
		if tags {
			op = (&Removal{Tags: []string{}}).op()
		}
		if r, ok := ParseRemoval(op, list); ok {
			sameOp, packed := r.Pack()
			if again, ok := ParseRemoval(sameOp, packed); !ok || sameOp != op || !reflect.DeepEqual(again, r) {
				t.Errorf("%+v became %+v, %t", r, again, ok)
			}
		}
	})
}
