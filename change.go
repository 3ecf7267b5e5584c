package cachemesh

import (
	"context"
	"errors"
	"time"
)

const (
	retryFloor   = 5 * time.Millisecond
	retryCeiling = 100 * time.Millisecond
)

// change carries out a Set, or a Delete, at the owner of the key.
// While the members disagree about the owner or cannot reach it, it tries again
// until ctx ends.
func (c *groupCore) change(ctx context.Context, hash uint64, key string, ch change) error {
	if v := c.node.view.Load(); v != nil && v.standing(hash) == ownsIt {
		// The common case at the owner needs no deadline: nothing waits.
		s := c.shard(hash)
		if done, pending, err := c.tryWrite(s, hash, key, ch); done && !isUnsettled(err) {
			return err
		} else if !done && pending == nil {
			ctx, cancel := c.node.bounded(ctx)
			defer cancel()
			err := c.writeReserved(ctx, s, hash, key, ch)
			if !isUnsettled(err) || c.writesOrigin(ch) {
				return err
			}
			// The key moved on while its leases ended.
		}
	}
	ctx, cancel := c.node.bounded(ctx)
	defer cancel()
	wait := retryFloor
	for {
		err := c.tryChange(ctx, hash, key, ch)
		if !c.mayRetry(err, ch) {
			return err
		}
		c.stats.retries.Add(1)
		if cause := c.node.pause(ctx, wait); cause != nil {
			if isUnsettled(err) {
				return unsettled(cause)
			}
			return err
		}
		wait = min(2*wait, retryCeiling)
	}
}

// tryChange makes one attempt, following one hint to another owner.
func (c *groupCore) tryChange(ctx context.Context, hash uint64, key string, ch change) error {
	v, err := c.node.currentView(ctx)
	if err != nil {
		return err
	}
	o := v.owner(hash)
	switch {
	case o == nil:
		return ErrClosed
	case o.peer == nil:
		return c.write(ctx, hash, key, ch)
	}
	named, err := c.changeAt(ctx, o, hash, key, ch)
	if errors.Is(err, errNotOwner) {
		if hint := c.node.hinted(named, o, nil); hint != nil {
			_, err = c.changeAt(ctx, hint, hash, key, ch)
		}
	}
	return err
}

func isUnsettled(err error) bool {
	return !isLoadOutcome(err) && (errors.Is(err, errNotOwner) || errors.Is(err, ErrUnsettled))
}

// mayRetry reports whether an attempt that failed may be made again. A Set that
// may have been applied is not repeated: applied twice it could undo somebody's
// later write. A Delete may, for a cache may forget; but not one that deletes a
// row.
func (c *groupCore) mayRetry(err error, ch change) bool {
	if isUnsettled(err) {
		return true
	}
	pe, ok := errors.AsType[*PeerError](err)
	if !ok || isLoadOutcome(err) || errors.Is(err, ErrClosed) || !isUnreachable(err) && !errors.Is(err, ErrOverloaded) {
		return false
	}
	return !pe.MaybeApplied || ch.e == nil && !c.writesOrigin(ch)
}
