package owner

import (
	"sync/atomic"
)

const (
	// BookShare is the part of MaxBytes, as 1/BookShare, that registrations may take; a small
	// group has room for a few all the same, which is not counted.
	BookShare = 16
	BookLeast = 2 << 10
)

// Room is what a part may take, in bytes.
type Room struct {
	All    int64 // GroupOptions.MaxBytes, or a part of Options.TotalBytes
	Books  int64 // for registrations, and notes of keys that are too large
	Failed int64 // for failures that are remembered, and as much for those that explain old values
	Tags   int64 // for the lists of tags
	Store  int64 // for the rest
}

// An allowance is bytes that notes on keys may take. Its methods are called concurrently.
type allowance struct{ most, taken atomic.Int64 }

// take counts bytes, if there are so many.
func (a *allowance) take(n int64) bool {
	if a.taken.Add(n) > a.most.Load() {
		a.taken.Add(-n)
		return false
	}
	return true
}

// give gives bytes back that were taken.
func (a *allowance) give(n int64) { a.taken.Add(-n) }
