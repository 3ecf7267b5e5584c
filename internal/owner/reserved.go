package owner

import (
	"context"
	"errors"
	"fmt"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// writeReserved carries out a write of a key that tryWrite has reserved. It goes
// on when ctx ends, for the origin may have been written, holders may have
// dropped their copies, and others wait for the key.
func (c *writes) writeReserved(ctx context.Context, s *shard, hash uint64, key string, ch Change) error {
	if c.waitsForCopies(s, hash, key, ch) {
		return c.writeCopied(ctx, s, hash, key, ch)
	}
	result := make(chan error, 1)
	go func() { // tryWrite has announced it to Close
		defer c.Life.Done()
		result <- c.writeDetached(context.WithoutCancel(ctx), s, hash, key, ch)
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return c.maybeApplied(ch, ctx.Err())
	case <-c.Life.Closing():
		return c.maybeApplied(ch, errs.ErrClosed)
	}
}

func (c *writes) maybeApplied(ch Change, err error) error {
	return &errs.PeerError{Op: opName(ch), Member: c.Member, Addr: c.Addr, MaybeApplied: true, Err: err}
}

// waitsForCopies reports whether a write of a reserved key waits for nothing but its copies.
func (c *writes) waitsForCopies(s *shard, hash uint64, key string, ch Change) bool {
	if c.copies == nil || ch.If != nil || c.WritesOrigin(ch) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.registered.find(hash) < 0
}

// writeCopied is writeReserved of what waits for nothing but its copies. Only where ctx ends
// before they are made a goroutine goes on with it: one for each write costs a tenth of it.
func (c *writes) writeCopied(ctx context.Context, s *shard, hash uint64, key string, ch Change) error {
	err := c.startCopies(s, hash, key, &ch)
	if err == nil && ch.sent != nil && !ch.sent.Await(ctx) {
		go func() { // tryWrite has announced it to Close
			defer c.Life.Done()
			c.endCopied(s, hash, key, ch, nil)
		}()
		return c.maybeApplied(ch, ctx.Err())
	}
	defer c.Life.Done()
	return c.endCopied(s, hash, key, ch, err)
}

// endCopied waits for the copies of a write, unless err says why there are none, and makes it.
func (c *writes) endCopied(s *shard, hash uint64, key string, ch Change, err error) error {
	if err == nil && ch.sent != nil {
		err = ch.sent.Carry()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer c.releaseLocked(s, hash, key)
	return c.changeReservedLocked(context.Background(), s, hash, key, &ch, err)
}

// writeDetached writes the origin, if the group has a Writer; then it tells the
// holders and waits until each acknowledged or its session has lapsed; only then
// it changes the store. Hits here see the former value meanwhile, as holders do,
// so nobody sees the new value before everybody does.
func (c *writes) writeDetached(ctx context.Context, s *shard, hash uint64, key string, ch Change) error {
	var failed error
	toOrigin := c.WritesOrigin(ch)
	if goes, err := c.prepare(ctx, s, hash, key, &ch); !goes {
		c.callOffWrite(s, hash, key, toOrigin)
		return err
	}
	if toOrigin {
		if failed = c.writeOrigin(ctx, s, hash, key, ch.E); failed != nil {
			ch = Change{CacheOnly: true} // nobody knows what the origin has now: forget
		}
	}
	var err error
	if c.copies == nil {
		c.recall(s, hash, key)
	} else {
		err = c.sendCopies(s, hash, key, &ch)
	}
	s.mu.Lock()
	err = c.changeReservedLocked(ctx, s, hash, key, &ch, err)
	if toOrigin && errors.Is(err, errs.ErrTooLarge) {
		c.Store.Delete(hash, key) // the origin has it, and the old value must not stay
		err = nil
	}
	if toOrigin && errors.Is(err, errs.ErrGroupClosed) {
		err = nil // nothing is held here that could be older
	}
	moved := toOrigin && errs.IsUnsettled(err)
	if moved {
		c.Duties.Telling.Add(1) // before the key is free: Shutdown waits for it
	}
	c.releaseLocked(s, hash, key)
	s.mu.Unlock()
	if moved {
		// The key has a new owner, which may have loaded it before the origin changed.
		err = c.Others.Forget(ctx, hash, key)
		c.Duties.Telling.Add(-1)
	}
	if toOrigin && failed == nil && err == nil && ch.If != nil && !ch.If.Got.Met {
		ch.If.noteMade(nil) // the origin has it, and nothing is kept here
	}
	switch {
	case failed != nil:
		return failed
	case toOrigin && err != nil:
		c.Owe(key)
		return &errs.PeerError{Op: opName(ch), Member: c.Member, Addr: c.Addr, MaybeApplied: true,
			Err: fmt.Errorf("the origin was written, but another member may still have the former value: %v", err)}
	}
	return err
}

// changeReservedLocked makes the change of a reserved key whose holders were told, unless err
// says why it has not its copies, or its condition is not met any more. It may unlock s
// meanwhile.
func (c *writes) changeReservedLocked(ctx context.Context, s *shard, hash uint64, key string, ch *Change, err error) error {
	d := goesAhead
	if err == nil {
		d, err = c.decideAgainLocked(ctx, s, hash, key, ch)
	}
	if d == goesAhead && err == nil {
		err = c.installLocked(s, hash, key, *ch)
	}
	if ch.sent != nil && !ch.sent.IsOver() {
		err = ch.sent.Abandon(err)
	}
	return err
}

// sendCopies sends a write of a reserved key to those that shall hold it, beside the recall
// of copies, and waits for both.
func (c *writes) sendCopies(s *shard, hash uint64, key string, ch *Change) error {
	recalled := make(chan struct{})
	go func() {
		defer close(recalled)
		c.recall(s, hash, key)
	}()
	err := c.startCopies(s, hash, key, ch)
	if err == nil && ch.sent != nil {
		err = ch.sent.Carry()
	}
	<-recalled
	return err
}

// startCopies sends a write of a reserved key to those that shall hold it, if there is
// something to be sent. It waits for nothing.
func (c *writes) startCopies(s *shard, hash uint64, key string, ch *Change) error {
	s.mu.Lock()
	err := c.openLocked(s, hash, *ch) // Start looks whether it is shown
	s.mu.Unlock()
	switch {
	case ch.removes() && c.copies.IsNothing(hash):
		return nil
	case err != nil:
		return err
	}
	ch.sent, err = c.copies.Start(hash, key, ch.E, ch.order())
	return err
}

// callOffWrite ends the reservation of a key that is not written after all.
func (c *writes) callOffWrite(s *shard, hash uint64, key string, toOrigin bool) {
	s.mu.Lock()
	w := s.writings.calls[key]
	s.mu.Unlock()
	if toOrigin {
		c.endWriting(s, key, w) // it was never called
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.releaseLocked(s, hash, key)
}
