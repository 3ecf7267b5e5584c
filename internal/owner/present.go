package owner

import (
	"context"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// awaitPresent is Load in a group that is a cache without a loader: a Get there finds what is
// here, and waits for no claim. As in a map it waits for a write, and until the copies of a
// value that was evicted have been recalled: its holders still show that.
func (c *gets) awaitPresent(ctx context.Context, hash uint64, key string) (e *store.Entry, hit bool, err error) {
	for {
		e, free, err := c.present(hash, key)
		if free == nil {
			return e, err == nil, err
		}
		select {
		case <-free:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-c.Life.Closing():
			return nil, false, errs.ErrClosed
		}
	}
}

// present returns what a key has, or what has to end first.
func (c *gets) present(hash uint64, key string) (e *store.Entry, free <-chan struct{}, err error) {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, _, err = c.presentLocked(s, hash, key)
	if e != nil || err != nil {
		return e, nil, err
	}
	busy, recall := c.busyLocked(s, hash, key)
	c.doLocked(s, hash, key, next{recall: recall})
	if !busy {
		return nil, nil, errs.ErrNotFound
	}
	return nil, s.reserved[key], nil
}
