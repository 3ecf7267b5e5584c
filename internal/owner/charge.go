package owner

import (
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// chargeLocked counts what the book of a key takes. It reports false, and counts
// nothing, if that is too much with all others.
func (c *Part) chargeLocked(b *book, key string, holders int) bool {
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
func (c *Part) takeRoom(n int64) bool {
	if c.bookBytes.Add(n) > c.bookRoom.Load() {
		c.bookBytes.Add(-n)
		return false
	}
	return true
}
