package handover

import (
	"reflect"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// FuzzList reads arbitrary lists: nothing panics, and what is read is the same once it was
// packed again.
func FuzzList(f *testing.F) {
	whole := wire.Packed{Data: []byte("value"), Version: store.Version{Clock: 7, Run: 8, Primary: 9}, Left: time.Second, Encoding: 10}
	trace := wire.Packed{Version: store.Version{Clock: 1}, Trace: true}
	both := wire.AppendParcel(wire.AppendParcel(nil, "k", &whole), "gone", &trace)
	if l, ok := listOf(both, 1); !ok || l.values != 1 || l.newest != 7 {
		f.Fatalf("%+v, %v", l, ok)
	}
	f.Add(both)
	f.Add(wire.AppendParcel(nil, "k", &whole)[:9])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, list []byte) {
		l, ok := listOf(list, 1)
		var again []byte
		values := 0
		for rest := list; len(rest) > 0; {
			var p wire.Packed
			var cut bool
			if p, rest, cut = wire.CutParcel(rest); !cut {
				if ok {
					t.Fatal("listOf takes what CutParcel does not")
				}
				return
			}
			if !p.Trace {
				values++
			}
			one := wire.AppendParcel(nil, p.Key, &p)
			same, none, cut := wire.CutParcel(one)
			if !cut || len(none) != 0 || !reflect.DeepEqual(same, p) {
				t.Fatalf("%+v became %+v", p, same)
			}
			again = append(again, one...)
		}
		if packedAgain, sound := listOf(again, 1); !ok || !sound || l.values != values || packedAgain.values != values || packedAgain.until != l.until {
			t.Fatalf("%d values, until %d; packed again %d, until %d", l.values, l.until, packedAgain.values, packedAgain.until)
		}
	})
}
