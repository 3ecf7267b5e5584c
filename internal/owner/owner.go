package owner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// made returns the shards, none before the first load or write. Nothing can be in them
// that began before they were made, so whoever changes the view or the era, and then
// finds none, need not look: what begins in them sees the change.
func (c *Part) made() []shard {
	if p := c.shards.Load(); p != nil {
		return *p
	}
	return nil
}

// allShards returns the shards, and makes them first if need be.
func (c *Part) allShards() []shard {
	if p := c.shards.Load(); p != nil {
		return *p
	}
	c.shards.CompareAndSwap(nil, newShards(c.shardCount))
	return *c.shards.Load()
}

// shard returns the books for a key. Whoever chooses keys can choose bits of their
// hashes, but not how these are scattered.
func (c *Part) shard(hash uint64) *shard {
	shards := c.allShards()
	return &shards[c.scatter.Of(hash)&uint64(len(shards)-1)]
}

// WritesOrigin reports whether a change goes to the group's Writer first.
func (c *Part) WritesOrigin(ch Change) bool {
	return c.Origin.Write != nil && !ch.Merge && !ch.CacheOnly
}

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

// storeError puts what the store said about e into this package's words.
func (c *Part) storeError(e *store.Entry, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrClosed):
		return c.closedError()
	}
	return c.tooLarge(e)
}

func (c *Part) tooLarge(e *store.Entry) error {
	return &errs.RemoteError{Text: fmt.Sprintf("%v: it takes %d bytes with its key and bookkeeping, group %q holds at most %d in one entry",
		errs.ErrTooLarge, e.Size(), c.Name, c.Store.MaxEntry()), Known: errs.ErrTooLarge}
}

// DropLost forgets what this member does not own in v, so that nothing old can
// return when the keys come back to it, and hot copies that came from a member
// that does not own them in v. Their holders do the same, so the leases on what
// was lost need no invalidation. They stay in the books until they lapse, for the
// keys may come back before that, and a holder that learns of both changes at
// once sees the same owner and keeps its copy. Writers that run for what was lost
// hold back the acknowledgement of v. What nobody could load again stays, to be handed
// over.
func (c *Part) DropLost(v *view.View) {
	lost := func(key string) bool { return v.Standing(ring.Hash(c.Seed, key)) != view.OwnsIt }
	shards := c.made()
	for i := range shards {
		s := &shards[i]
		s.mu.Lock()
		s.changes.Add(1)
		for key := range s.lanes {
			if lost(key) {
				c.voidKeyLocked(s, key)
				c.advanceLocked(s, ring.Hash(c.Seed, key), key) // who waits there asks the new owner
			}
		}
		for key, w := range s.writings {
			if lost(key) {
				c.holdWritingLocked(w)
			}
		}
		s.mu.Unlock()
	}
	if c.Origin.Load != nil {
		c.Store.DeleteIf(func(hash uint64, _ *store.Entry) bool { return v.Standing(hash) != view.OwnsIt })
	}
}

// Close ends all loads and empties the store.
func (c *Part) Close() {
	c.shards.CompareAndSwap(nil, closedShards)
	shards := c.made()
	for i := range shards {
		s := &shards[i]
		s.mu.Lock()
		s.closed = true
		for _, l := range s.lanes {
			if l.current != nil {
				l.current.cancel()
			}
		}
		for _, pair := range s.cohorts {
			if pair.running != nil {
				pair.running.cancel()
			}
			if pair.next != nil {
				pair.next.cancel()
			}
		}
		s.mu.Unlock()
	}
	c.Store.Close()
}

// SetTTL lets an entry expire after the TTL, never if that is forever or not
// positive.
func (c *Part) SetTTL(e *store.Entry, ttl time.Duration) {
	if ttl > 0 && ttl != Forever {
		e.Expires = clock.Later(c.Clock.Now(), ttl)
	}
}

// Allow charges an entry for a decoded value as large as its bytes, which it may come
// to hold: then its first hit need not replace it, if that is right. An entry that has
// no room for it is charged when it is known.
func (c *Part) Allow(e *store.Entry) {
	if c.DecodedSize == 0 {
		return
	}
	e.Extra = store.Allocated(c.DecodedSize) + int64(len(e.Data))
	if e.Size() > c.Store.MaxEntry() {
		e.Extra = 0
	}
}
