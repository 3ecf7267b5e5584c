package cachemesh

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
)

// What a group's MaxBytes is for, besides its store.
const (
	// hotShare is the part of MaxBytes, as 1/hotShare, that hot copies may take.
	hotShare = 8

	// smallGroup is the MaxBytes below which nothing is set aside for leases and for what
	// loaders said of old values; there is room for a little all the same.
	smallGroup = 64 << 10
)

// uses says what a group needs room for.
type uses struct{ hot, failures, stale bool }

// parts are what a group's MaxBytes is divided into.
type parts struct {
	hot    int64 // for hot copies; 0: none
	books  int64 // for leases and keys that are known to be too large; a quarter for keys that are owed
	failed int64 // for failures that are remembered, and as much for those that explain old values
	store  int64 // for the rest
}

func (u uses) parts(maxBytes int64) parts {
	p := parts{failed: maxBytes / owner.FailedShare, books: max(maxBytes/owner.BookShare, owner.BookLeast), store: maxBytes}
	if b := maxBytes / hotShare; u.hot && b >= hotcache.MinBytes {
		p.hot = b
		p.store -= b
	}
	if u.failures {
		p.store -= p.failed
	}
	if maxBytes >= smallGroup {
		p.store -= p.books
		if u.stale {
			p.store -= p.failed
		}
	}
	return p
}

// room returns what a group's part has of it.
func (p parts) room(maxBytes int64) owner.Room {
	return owner.Room{All: maxBytes, Books: p.books * 3 / 4, Failed: p.failed, Store: p.store}
}

// canTake reports whether a group can do with so many bytes.
func (c *groupCore) canTake(maxBytes int64) bool {
	return c.uses.parts(maxBytes).store >= c.Store.Least()
}

// resize gives a group another MaxBytes that it can do with. What has to go for it is
// evicted; hot copies are dropped.
func (c *groupCore) resize(maxBytes int64) {
	if c.MaxBytes.Load() == maxBytes {
		return
	}
	p := c.uses.parts(maxBytes)
	c.Hot.Resize(p.hot)
	c.Part.Resize(p.room(maxBytes)) // canTake has said that it can
}

// A budget divides Options.TotalBytes among a node's groups: those with a MaxBytes of
// their own have that, the others equal parts of the rest, whatever it is.
type budget struct {
	total int64 // 0: groups have what they say

	mu     sync.Mutex   // guards the fields below; held while a group is made and others give way
	fixed  int64        // of groups with a MaxBytes of their own
	shared []*groupCore // the others
}

// admit makes a group of so many bytes, or of an equal part of what is left if it has no
// MaxBytes of its own. Others give way before it is made, and have back what they had if
// it is not. Errors: *OptionError, and those of make.
func (b *budget) admit(own int64, build func(maxBytes int64) (*groupCore, error)) error {
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
func (b *budget) release(c *groupCore) {
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

func (b *budget) canShare(share int64) bool {
	for _, c := range b.shared {
		if !c.canTake(share) {
			return false
		}
	}
	return true
}

func (b *budget) divide(share int64) {
	for _, c := range b.shared {
		c.resize(share)
	}
}
