package store

import (
	"testing"
	"unsafe"
)

// TestAllocated compares what is charged for an allocation with what Go's allocator
// takes, which shows as the capacity of a slice that append had to make.
func TestAllocated(t *testing.T) {
	for n := 1; n <= 64<<10; n++ {
		took, says := int64(cap(append([]byte(nil), make([]byte, n)...))), Allocated(int64(n))
		if took == 24 {
			took = 32 // a class that is passed over
		}
		if says*8 < took*7 || says > took+took/4 || says < int64(n) || n <= 256 && says != took {
			t.Fatalf("%d bytes take %d, charged are %d", n, took, says)
		}
	}
	if Allocated(0) != 0 || Allocated(-1) != 0 {
		t.Error("nothing is charged for")
	}
}

// TestSizeCountsCare: what a caller keeps beside an entry is charged for, to the
// byte.
func TestSizeCountsCare(t *testing.T) {
	plain, cared := &Entry{Key: "k"}, &Entry{Key: "k", Care: new(Care)}
	if got, want := cared.Size()-plain.Size(), Allocated(int64(unsafe.Sizeof(Care{}))); got != want || want < 24 {
		t.Errorf("an entry with care is charged %d bytes more, want %d", got, want)
	}
}
