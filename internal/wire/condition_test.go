package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/store"
)

func TestConditionTravels(t *testing.T) {
	v := store.Version{Clock: 1 << 60, Primary: 7, Run: 9}
	for _, c := range []Condition{
		{}, {If: IfAbsent, Former: true}, {If: IfPresent, Remove: true, Former: true}, {If: IfVersion, Version: v, KeepTTL: true},
		{Touch: true}, {Add: true, Delta: -1 << 63},
	} {
		for _, value := range []string{"", "value"} {
			got, data, ok := ParseCondition(c.Pack([]byte(value)))
			if got != c || string(data) != value || !ok {
				t.Errorf("%+v became %+v, %q, %t", c, got, data, ok)
			}
		}
	}
	verdict := Verdict{Met: true, Version: v, Value: []byte("v")}
	if got, ok := ParseVerdict(verdict.Pack()); !ok || !got.Met || got.Found || got.Version != v || string(got.Value) != "v" {
		t.Errorf("%+v, %t", got, ok)
	}
	item := Item{Version: v, Age: 5, Size: 300, Value: []byte("v")}
	if got, ok := ParseItem(item.Pack()); !ok || got.Version != v || got.Age != 5 || got.Size != 300 || string(got.Value) != "v" {
		t.Errorf("%+v, %t", got, ok)
	}
}

// FuzzConditions parses what a peer may send.
func FuzzConditions(f *testing.F) {
	f.Add((&Condition{If: IfVersion, Add: true, Delta: 300}).Pack([]byte("v")))
	f.Add((&Verdict{Met: true, Value: []byte("v")}).Pack())
	f.Add((&Item{Age: 1, Size: 2}).Pack())
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, value, ok := ParseCondition(b); ok {
			again, data, ok := ParseCondition(c.Pack(value))
			if !ok || again != c || !bytes.Equal(data, value) {
				t.Errorf("%+v, %q became %+v, %q", c, value, again, data)
			}
		}
		if v, ok := ParseVerdict(b); ok {
			if again, ok := ParseVerdict(v.Pack()); !ok || again.Version != v.Version || again.Met != v.Met || again.Found != v.Found {
				t.Errorf("%+v became %+v", v, again)
			}
		}
		if i, ok := ParseItem(b); ok {
			if again, ok := ParseItem(i.Pack()); !ok || again.Version != i.Version || again.Age != i.Age || again.Size != i.Size {
				t.Errorf("%+v became %+v", i, again)
			}
		}
	})
}

// TestCarriedBeforeACondition: whatever is carried, the value stays what it is.
func TestCarriedBeforeACondition(t *testing.T) {
	for _, carried := range []string{"", "a", strings.Repeat("c", 300)} {
		for _, value := range []string{"", "value"} {
			req := httppool.Request{Value: []byte(value)}
			if got, rest, ok := CutCarried(&req); len(got) > 0 || string(rest) != value || !ok {
				t.Errorf("nothing carried: %q, %q, %t", got, rest, ok)
			}
			PutCarried(&req, []byte(carried))
			if got, rest, ok := CutCarried(&req); string(got) != carried || string(rest) != value || !ok {
				t.Errorf("%q before %q became %q, %q, %t", carried, value, got, rest, ok)
			}
		}
	}
	if _, _, ok := CutCarried(&httppool.Request{Flags: FlagCarried, Value: []byte{9, 'x'}}); ok {
		t.Error("more than there is was cut off")
	}
}
