package store

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is what Set returns once Close was called.
	ErrClosed = errors.New("store: closed")
	// ErrReused is what Set returns for an entry that was passed to a Set before.
	ErrReused = errors.New("store: entry was already set once")
	// ErrTooLarge is matched by every *SizeError.
	ErrTooLarge = errors.New("store: entry too large")
)

// SizeError says that an entry is larger than the store takes. It matches
// ErrTooLarge.
type SizeError struct {
	Size int64 // what the entry costs, bytes
	Max  int64 // what MaxEntry says, bytes
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("store: entry of %d bytes is larger than the limit of %d", e.Size, e.Max)
}

// Is reports whether target is ErrTooLarge.
func (e *SizeError) Is(target error) bool { return target == ErrTooLarge }

// BudgetError says that Options.MaxBytes is too small to work with.
type BudgetError struct {
	MaxBytes int64
	Min      int64
}

func (e *BudgetError) Error() string {
	return fmt.Sprintf("store: MaxBytes is %d, the least is %d", e.MaxBytes, e.Min)
}
