package owner

import (
	"context"
	"errors"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
)

// Write installs e as the value of the key, or removes the value if e is nil or
// has expired. When it returns nil, no Get that starts later on any member, and
// no load that started earlier, brings back an older value. The key must not
// alias a buffer. Errors: errs.ErrNotOwner, ErrUnsettled, ErrTooLarge, ErrWriterBusy,
// ErrOverloaded and ErrClosed, and then nothing was changed; *PeerError if ctx ended while the write was
// waiting for holders, and then it may be applied yet.
func (c *writes) Write(ctx context.Context, hash uint64, key string, ch Change) error {
	c.label(ch.E)
	s := c.shard(hash)
	if ch.If != nil && ch.If.Add {
		if done, err := c.WriteNow(hash, key, ch); done {
			return err
		}
	}
	ch.If.begin()
	var last <-chan struct{}
	for {
		done, pending, err := c.tryWrite(s, hash, key, &ch)
		if done {
			return err
		}
		if pending == nil {
			return c.writeReserved(ctx, s, hash, key, ch)
		}
		if last == nil {
			var cancel context.CancelFunc
			last, cancel = origin.ShortlyBefore(ctx)
			defer cancel()
		}
		if err := c.awaitTurn(ctx, last, s, key, pending); err != nil {
			return err
		}
	}
}

// addTries is how many sums are made for one call before the key is reserved for it: as
// many others may have written the key meanwhile.
const addTries = 4

// WriteNow is Write where that waits for nothing, but for the user's codec if the change
// adds. If it reports false, nothing was done.
func (c *writes) WriteNow(hash uint64, key string, ch Change) (done bool, err error) {
	c.label(ch.E)
	s := c.shard(hash)
	ch.If.begin()
	for try := 0; ; try++ {
		s.mu.Lock()
		done, err := c.writeNowLocked(s, hash, key, &ch)
		s.mu.Unlock()
		if done || ch.If == nil || !ch.If.wantsSum() || try == addTries {
			return done, err
		}
		c.addUp(key, ch.If)
	}
}

// writeNowLocked writes a key that nobody has reserved, of which no copy is out, and whose
// change the Writer need not hear of. Else it reports false, and has done nothing.
func (c *writes) writeNowLocked(s *shard, hash uint64, key string, ch *Change) (done bool, err error) {
	if ch.Only != nil && !c.goesLocked(s, hash, key, ch.Only) {
		return true, nil
	}
	if c.copies != nil && !c.copies.IsInstant(hash, ch.removes()) || c.WritesOrigin(*ch) || s.reserved.isTaken(key) || c.isHeldLocked(s, hash, c.Clock.Now()) {
		return false, nil
	}
	if ch.If != nil {
		if err := c.writableLocked(s, hash, *ch); err != nil {
			return true, err
		}
		if s.emptying > 0 { // see decidableLocked
			return true, errMoved
		}
		if d, err := c.decideLocked(hash, key, ch); d != goesAhead || err != nil {
			return d == isNotMet || err != nil, err
		}
	}
	return true, c.installLocked(s, hash, key, *ch)
}

// tryWrite writes unless copies are out. If it reports false, either pending is
// the write that is under way, or the key is now reserved for the caller, who
// must go on with writeReserved.
//
// The schedule it defends against: a load reads the old row; the row changes; a
// Delete of the key returns; the load ends and stores the old row. So the token
// of the load is taken back and the store changed under one lock.
func (c *writes) tryWrite(s *shard, hash uint64, key string, ch *Change) (done bool, pending <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if done, err := c.writeNowLocked(s, hash, key, ch); done {
		return true, nil, err
	}
	if over := s.reserved[key]; over != nil {
		return false, over, nil
	}
	err = c.openLocked(s, hash, *ch)
	if err == nil && ch.If != nil && !c.shows(hash) { // what has no condition looks when it is sent
		err = errs.ErrUnsettled
	}
	if err != nil {
		return true, nil, err
	}
	toOrigin := c.WritesOrigin(*ch)
	if toOrigin {
		if pending, err := s.writings.pending(key); pending != nil || err != nil {
			return err != nil, pending, err
		}
	}
	if ch.If != nil && s.emptying > 0 {
		return true, nil, errMoved
	}
	switch d, err := c.decideLocked(hash, key, ch); {
	case d == isNotMet || err != nil:
		return true, nil, err
	case d == goesAhead && c.copies == nil && ch.If.recallsNobody(ch.E):
		return true, nil, c.installLocked(s, hash, key, *ch)
	}
	if toOrigin {
		s.writings.begin(key)
	}
	c.reserveLocked(s, key)
	c.Life.Begin() // for writeReserved; later it could come after Close waited
	return false, nil, nil
}

// awaitTurn waits for another write of the key, or a load that insists, to end.
// last is closed shortly before ctx's deadline: a peer that asked would hear
// nothing but that its time is up.
func (c *writes) awaitTurn(ctx context.Context, last <-chan struct{}, s *shard, key string, pending <-chan struct{}) error {
	for {
		select {
		case <-pending:
			return nil
		case <-last:
			if ctx.Err() != context.Canceled && c.isWriting(s, key) {
				return errors.Join(errs.ErrWriterBusy, context.DeadlineExceeded)
			}
			last = nil
		case <-ctx.Done():
			return ctx.Err()
		case <-c.Life.Closing():
			return errs.ErrClosed
		}
	}
}

// isWriting reports whether the Writer runs for a key.
func (c *writes) isWriting(s *shard, key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writings.calls[key] != nil
}
