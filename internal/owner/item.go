package owner

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// ItemOf returns the value that a key has, by a load if need be; with peek only what is in
// memory. Errors: those of Load.
func (c *gets) ItemOf(ctx context.Context, hash uint64, key string, peek bool) (*store.Entry, error) {
	if peek {
		if err := c.mayServe(hash); err != nil {
			return nil, err
		}
		e := c.Peek(hash, key)
		if e == nil || e.Negative {
			return nil, errs.ErrNotFound
		}
		return e, nil
	}
	e, _, err := c.Load(ctx, hash, key)
	if e != nil && e.Negative {
		return nil, errs.ErrNotFound
	}
	return e, err
}

// AgeOf returns how long ago a value was stored, by the wall clock of whoever stored it; 0
// for one that is not.
func AgeOf(e *store.Entry) time.Duration {
	if e.Version == (store.Version{}) {
		return 0
	}
	return max(time.Duration(time.Now().UnixNano()-int64(e.Version.Clock)), 0)
}
