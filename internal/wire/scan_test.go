package wire

import (
	"reflect"
	"testing"
	"time"
)

// TestScanTravels packs queries and pages, and reads them back.
func TestScanTravels(t *testing.T) {
	for _, q := range []ScanQuery{{}, {From: 1 << 63, Count: 1000, Values: true, Prefix: "a/"}} {
		if got, ok := ParseScanQuery(q.Pack()); !ok || got != q {
			t.Errorf("%+v became %+v, %t", q, got, ok)
		}
	}
	for _, p := range []ScanPage{{}, {Next: 7, Items: []ScanItem{
		{Hash: 1, Key: "k", Left: time.Hour, Value: []byte("v"), Has: true}, {Hash: 2, Key: "l", Value: []byte{}},
	}}} {
		if got, ok := ParseScanPage(p.Pack()); !ok || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v became %+v, %t", p, got, ok)
		}
	}
}

// FuzzScan reads what no member sends: it must not panic, and what it takes must travel.
func FuzzScan(f *testing.F) {
	f.Add((&ScanQuery{From: 1, Count: 10, Prefix: "p"}).Pack())
	f.Add((&ScanPage{Next: 7, Items: []ScanItem{{Hash: 1, Key: "k", Left: 1, Value: []byte("v"), Has: true}}}).Pack())
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, ok := ParseScanQuery(b); ok {
			if again, ok := ParseScanQuery(q.Pack()); !ok || again != q {
				t.Errorf("%+v became %+v, %t", q, again, ok)
			}
		}
		if p, ok := ParseScanPage(b); ok {
			if again, ok := ParseScanPage(p.Pack()); !ok || !reflect.DeepEqual(again, p) {
				t.Errorf("%+v became %+v, %t", p, again, ok)
			}
		}
	})
}
