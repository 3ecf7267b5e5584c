package owner

import (
	"context"
	"errors"
	"strings"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// Write installs e as the value of the key, or removes the value if e is nil or
// has expired. When it returns nil, no Get that starts later on any member, and
// no load that started earlier, brings back an older value. The key must not
// alias a buffer. Errors: errs.ErrNotOwner, ErrUnsettled, ErrTooLarge, ErrWriterBusy,
// ErrOverloaded and ErrClosed, and then nothing was changed; *PeerError if ctx ended while the write was
// waiting for leases to end, and then it may be applied yet.
func (c *Part) Write(ctx context.Context, hash uint64, key string, ch Change) error {
	s := c.shard(hash)
	var last <-chan struct{}
	for {
		done, pending, err := c.tryWrite(s, hash, key, ch)
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

// WriteNow is write where that waits for nothing. If it reports false, nothing was done.
func (c *Part) WriteNow(hash uint64, key string, ch Change) (done bool, err error) {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.books[key]
	if c.WritesOrigin(ch) || b != nil && (b.write != nil || b.live(c.Clock.Now())) {
		return false, nil
	}
	if b != nil { // all leases have lapsed
		c.closeBookLocked(s, key, b)
	}
	return true, c.installLocked(s, hash, key, ch)
}

// awaitTurn waits for another write of the key, or a load that insists, to end.
// last is closed shortly before ctx's deadline: a peer that asked would hear
// nothing but that its time is up.
func (c *Part) awaitTurn(ctx context.Context, last <-chan struct{}, s *shard, key string, pending <-chan struct{}) error {
	for {
		select {
		case <-pending:
			return nil
		case <-last:
			if ctx.Err() != context.Canceled && s.isWriting(key) {
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

// tryWrite writes unless leases are out. If it reports false, either pending is
// the write that is under way, or the key is now reserved for the caller, who
// must go on with writeReserved.
//
// The schedule it defends against: a load reads the old row; the row changes; a
// Delete of the key returns; the load ends and stores the old row. So the token
// of the load is taken back and the store changed under one lock.
func (c *Part) tryWrite(s *shard, hash uint64, key string, ch Change) (done bool, pending <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.books[key]
	if b != nil && b.write != nil {
		return false, b.write, nil
	}
	if err := c.writableLocked(s, hash, ch); err != nil {
		return true, nil, err
	}
	toOrigin := c.WritesOrigin(ch)
	if toOrigin {
		if pending, err := s.writingLocked(key); pending != nil || err != nil {
			return err != nil, pending, err
		}
		s.beginWritingLocked(key)
	}
	if toOrigin || b != nil && b.live(c.Clock.Now()) {
		c.reserveLocked(s, key)
		c.Life.Begin() // for writeReserved; later it could come after Close waited
		return false, nil, nil
	}
	if b != nil { // all leases have lapsed
		c.closeBookLocked(s, key, b)
	}
	return true, nil, c.installLocked(s, hash, key, ch)
}

// writableLocked returns why a write cannot be carried out.
func (c *Part) writableLocked(s *shard, hash uint64, ch Change) error {
	if s.closed {
		return c.closedError()
	}
	if ch.E != nil && ch.E.Size() > c.Store.MaxEntry() {
		return c.tooLarge(ch.E)
	}
	err := c.State.MayServe(hash, c.Clock.Now())
	if ch.Merge && errors.Is(err, errs.ErrUnsettled) {
		return nil
	}
	if err == nil && c.WritesOrigin(ch) && c.State.Phase() == view.AsMinority {
		return c.minorityError(ch, false) // the origin is not touched
	}
	return err
}

// installLocked changes the store and takes back the token of a load. In a
// minority the change holds on this side only, and that is an error.
func (c *Part) installLocked(s *shard, hash uint64, key string, ch Change) error {
	if err := c.writableLocked(s, hash, ch); err != nil {
		return err
	}
	if err := c.putLocked(s, hash, key, ch); err != nil || ch.Merge {
		return err
	}
	if c.State.Phase() != view.AsMinority {
		return nil
	}
	c.Owe(key)
	return c.minorityError(ch, true)
}

// minorityError says that this side is not the majority.
func (c *Part) minorityError(ch Change, applied bool) error {
	return &errs.PeerError{Op: opName(ch.E), Member: c.Member, Addr: c.Addr, MaybeApplied: applied, Err: errs.ErrMinority}
}

// putLocked changes the store and takes back the token of a load.
func (c *Part) putLocked(s *shard, hash uint64, key string, ch Change) error {
	c.voidKeyLocked(s, key)
	s.changes.Add(1)
	c.forgetTooLargeLocked(s, key)
	c.setbacks.forget(key)
	now, era := c.Clock.Now(), c.State.Era() // before dated looks whether a member is missing
	e := c.dated(ch, key, now)
	if ch.Merge {
		if old := c.Store.Peek(hash, key, now); old != nil && !newer(e, old) {
			return nil
		}
	}
	if e == nil || e.Expires != 0 && e.Expires <= now {
		c.Store.Delete(hash, key)
		return nil
	}
	if c.Origin.Load != nil {
		c.attend(e, now)
	}
	e.Epoch.Store(era)
	return c.storeError(e, c.Store.Set(hash, e, now))
}

// dated returns the entry that a write stores, nil for none. Without a loader
// nobody could bring a value back, so values carry a version, by which the
// newest is found when two sides of a cut grow together; and while a member may
// be on the other side a Delete leaves a trace, lest its value come back.
func (c *Part) dated(ch Change, key string, now int64) *store.Entry {
	e := ch.E
	switch {
	case ch.Merge:
	case c.Origin.Load != nil:
		if e != nil {
			e.Expires = c.State.Limit(e.Expires, now)
		}
	case e != nil:
		e.Version, e.Primary = c.Clock.NextVersion(), c.State.Primary()
	case c.State.Tracing():
		e = &store.Entry{Key: strings.Clone(key), Negative: true, Version: c.Clock.NextVersion(), Primary: c.State.Primary(),
			Expires: now + int64(view.TraceFor)}
	}
	return e
}
