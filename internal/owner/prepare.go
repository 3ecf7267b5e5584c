package owner

import (
	"context"
	"errors"
	"fmt"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/origin"
)

// prepare decides on a change whose key is reserved, before anybody is told of it. If it
// reports false the change is over.
func (c *writes) prepare(ctx context.Context, s *shard, hash uint64, key string, ch *Change) (goes bool, err error) {
	if ch.If == nil {
		return true, nil
	}
	ch.If.view = c.State.View()
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := c.decideReservedLocked(ctx, s, hash, key, ch)
	ch.If.seen = ch.If.Got.Version
	return d == goesAhead && err == nil, err
}

// decideReservedLocked decides on a change whose key is reserved: by a load, if only that
// can tell, and with the user's codec, if it adds. It unlocks s meanwhile; what the key has
// may expire or be evicted then, and is looked at again.
func (c *writes) decideReservedLocked(ctx context.Context, s *shard, hash uint64, key string, ch *Change) (d decision, err error) {
	for {
		if err := c.decidableLocked(s, hash, ch.If); err != nil {
			return isNotMet, err
		}
		if d, err = c.decideLocked(hash, key, ch); err != nil {
			return isNotMet, err
		}
		switch d {
		case mustLoad:
			if err := c.loadReservedLocked(ctx, s, hash, key, ch.If); err != nil {
				return isNotMet, err
			}
		case mustAdd:
			s.mu.Unlock()
			c.addUpReserved(ctx, key, ch.If)
			s.mu.Lock()
		default:
			return d, nil
		}
	}
}

// addUpReserved is addUp while others wait for the key: a codec that does not return, or ends
// its goroutine, keeps it for LoadTimeout at most.
func (c *writes) addUpReserved(ctx context.Context, key string, cond *Conditional) {
	ctx, cancel := context.WithTimeout(ctx, c.LoadTimeout)
	defer cancel()
	defer context.AfterFunc(c.Loading, cancel)()
	was := *cond
	made, err := guard.Call(ctx, nil, func() (sum, error) {
		c.addUp(key, &was)
		return was.sum, nil
	})
	if err != nil {
		made = sum{made: true, of: cond.sum.of, err: fmt.Errorf("cachemesh: the group's codec: %w", c.calledOff(err))}
	}
	cond.sum = made
}

// decidableLocked returns why what a reserved key has says nothing now.
//
// The schedules it defends against: the key goes to another owner, which writes it, and
// comes back, while copies are recalled here. A value is read, a Clear empties the store,
// which takes no shard's lock, and what was made of the value is stored.
func (c *changes) decidableLocked(s *shard, hash uint64, cond *Conditional) error {
	switch {
	case s.closed:
		return c.closedError()
	case s.emptying > 0 || cond.view != nil && cond.view != c.State.View():
		return errMoved
	}
	return c.mayServe(hash)
}

// loadReservedLocked asks the origin what a reserved key has, and keeps it, as for a Get. It
// unlocks s meanwhile.
func (c *writes) loadReservedLocked(ctx context.Context, s *shard, hash uint64, key string, cond *Conditional) error {
	ctx, cancel := context.WithTimeout(ctx, c.LoadTimeout)
	defer cancel()
	defer context.AfterFunc(c.Loading, cancel)()
	f := &flight{shard: s, hash: hash, key: key, began: c.Clock.Now(), era: c.State.Era(), removals: c.removals.count.Load()}
	place := new(origin.Place)
	c.Origin.HurryUp(ctx, place)
	s.mu.Unlock()
	c.recall(s, hash, key) // on a value that was evicted
	e, err := c.Origin.CallLoad(ctx, key, place, func() {})
	c.label(e)
	s.mu.Lock()
	absent := errors.Is(err, errs.ErrNotFound) && !errs.IsOutcome(err)
	if err != nil && !absent {
		return errs.AsFailure(c.calledOff(err))
	}
	if err := c.decidableLocked(s, hash, cond); err != nil {
		return err
	}
	if f.era != c.State.Era() {
		return errMoved
	}
	cond.known = true
	if cond.row = e; absent {
		cond.row = nil
		c.fillNotFoundLocked(f)
		return nil
	}
	c.fillLocked(f, e) // it has a version then
	return nil
}

// decideAgainLocked looks at a condition where the change is made, after the holders of
// copies were told. With a Writer the origin was written on the strength of the first look,
// and nobody else wrote the key meanwhile. It may unlock s meanwhile.
func (c *writes) decideAgainLocked(ctx context.Context, s *shard, hash uint64, key string, ch *Change) (decision, error) {
	if c.copies != nil {
		return c.decideCopiedLocked(hash, key, ch)
	}
	if ch.If == nil || ch.If.view == nil || c.WritesOrigin(*ch) || c.Faults.DecideOnce {
		return goesAhead, nil
	}
	return c.decideReservedLocked(ctx, s, hash, key, ch)
}
