package cachemesh

import (
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/store"
)

const (
	// bookShare is the part of MaxBytes, as 1/bookShare, that leases may take; a small
	// group has room for a few all the same, which is not counted.
	bookShare = 16
	bookLeast = 2 << 10

	// bookCost is what a book takes besides key and holders: itself, and a slot of a map
	// that is half full.
	bookCost = 48 + 64
)

// chargeLocked counts what the book of a key takes. It reports false, and counts
// nothing, if that is too much with all others.
func (c *part) chargeLocked(b *book, key string, holders int) bool {
	cost := bookCost + store.Allocated(int64(len(key))) + store.Allocated(int64(holders)*int64(unsafe.Sizeof(holder{})))
	if cost <= b.charged {
		return true
	}
	if !c.takeRoom(cost - b.charged) {
		return false
	}
	b.charged = cost
	return true
}

// takeRoom counts bytes of the room for leases, if there are so many.
func (c *part) takeRoom(n int64) bool {
	if c.bookBytes.Add(n) > c.bookRoom.Load() {
		c.bookBytes.Add(-n)
		return false
	}
	return true
}
