package replica

import (
	"math"
	"slices"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/store"
)

func packed(lines []Line) []byte {
	var p Packer
	for _, l := range lines {
		p.Add(l)
	}
	return p.List()
}

func TestLines(t *testing.T) {
	lines := []Line{{1, store.Version{Clock: 7, Primary: 40, Run: 5}, false}}
	first := len(packed(lines))
	for i := range uint64(500) {
		lines = append(lines, Line{i << 50, store.Version{Clock: i, Primary: 40, Run: 5}, i%3 == 0})
	}
	if got, want := len(packed(lines)), first+17*500; got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
	for i := range uint32(100) {
		lines = append(lines, Line{math.MaxUint64, store.Version{Clock: math.MaxUint64, Primary: math.MaxUint32 - i, Run: i}, true})
	}
	list := packed(lines)
	if got, ok := Unpack(list); !ok || !slices.Equal(got, lines) {
		t.Error("the lines came back as others")
	}
	if _, ok := Unpack(list[:len(list)-1]); ok {
		t.Error("a list that was cut off passes")
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(packed([]Line{{1, store.Version{Clock: 7, Primary: 40, Run: 5}, false}, {2, store.Version{Clock: 8, Primary: 40, Run: 5}, true}}))
	f.Add(make([]byte, 22))
	f.Fuzz(func(t *testing.T, list []byte) {
		lines, ok := Unpack(list)
		if !ok {
			return
		}
		if again, ok := Unpack(packed(lines)); !ok || !slices.Equal(again, lines) {
			t.Errorf("%+v came back as %+v %v", lines, again, ok)
		}
	})
}
