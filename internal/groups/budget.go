package groups

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// A Budget divides Options.TotalBytes among a node's groups: those with a MaxBytes of
// their own have that, the others equal parts of the rest, whatever it is.
type Budget struct {
	total int64 // Options.TotalBytes; 0: groups have what they say

	mu     sync.Mutex // guards the fields below; held while a group is made and others give way
	fixed  int64      // of groups with a MaxBytes of their own
	shared []*Core    // the others
}

// Admit makes a group of so many bytes, or of an equal part of what is left if it has no
// MaxBytes of its own. Others give way before it is made, and have back what they had if
// it is not. Errors: *OptionError, and those of make.
func (b *Budget) Admit(own int64, build func(maxBytes int64) (*Core, error)) error {
	if b.total == 0 {
		_, err := build(own)
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	sharers := int64(len(b.shared))
	fixed := b.fixed + own
	if own == 0 {
		sharers++
	}
	share := (b.total - fixed) / max(sharers, 1)
	if own > b.total || fixed > b.total || !b.canShare(share) || own == 0 && share < smallGroup {
		return errs.Option("MaxBytes", own, fmt.Errorf("of Options.TotalBytes, %d, other groups have %d, and %d without a MaxBytes share the rest: %w",
			b.total, b.fixed, len(b.shared), errNoRoom))
	}
	former := (b.total - b.fixed) / int64(max(len(b.shared), 1))
	b.divide(share)
	maxBytes := own
	if own == 0 {
		maxBytes = share
	}
	c, err := build(maxBytes)
	if err != nil {
		b.divide(former)
		return err
	}
	if b.fixed = fixed; own == 0 {
		b.shared = append(b.shared, c)
	}
	return nil
}

// release gives back what a group that was closed had: those without a MaxBytes share it.
func (b *Budget) release(c *Core) {
	if b.total == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.shared, c); i >= 0 {
		b.shared = slices.Delete(b.shared, i, i+1)
	} else {
		b.fixed -= c.MaxBytes.Load()
	}
	b.divide((b.total - b.fixed) / int64(max(len(b.shared), 1)))
}

var errNoRoom = errors.New("there is not enough for another group")

func (b *Budget) canShare(share int64) bool {
	for _, c := range b.shared {
		if !c.canTake(share) {
			return false
		}
	}
	return true
}

func (b *Budget) divide(share int64) {
	for _, c := range b.shared {
		c.resize(share)
	}
}
