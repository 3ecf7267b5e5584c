package owner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A book is what the owner notes about a key with leases out or a write under
// way. Guarded by the shard's lock.
type book struct {
	holders []holder

	// write is closed when the write that waits for leases to end is over, or the
	// load that insists. Until then no lease is granted, no load starts and no other
	// write; hits see the former value.
	write chan struct{}

	charged int64 // of Part.bookBytes
}

// A holder is a member with a lease on a copy of the key.
type holder struct {
	id    string
	until int64 // on this node's clock
}

const (
	recallPause = 5 * time.Millisecond // between two attempts to reach a holder

	maxBooks   = 1024 // per shard, so up to 65 536 leased keys in a group
	maxHolders = 1024 // per key
)

// live reports whether a lease is out, and drops those that lapsed.
func (b *book) live(now int64) bool {
	kept := b.holders[:0]
	for _, h := range b.holders {
		if h.until > now {
			kept = append(kept, h)
		}
	}
	b.holders = kept
	return len(kept) > 0
}

// closeBookLocked removes a book in which nothing stands.
func (c *Part) closeBookLocked(s *shard, key string, b *book) {
	if len(b.holders) == 0 && b.write == nil && s.books[key] == b {
		delete(s.books, key)
		c.bookBytes.Add(-b.charged)
	}
}

// Grant answers a peer that asked for a lease, with the value that the store
// holds, and notes the peer as a holder first: a write that comes the moment
// after finds it in the books. The entry is nil if there is no value, and the lease 0 if
// there is none. A lease ends with the value's own time to live. now is a time before the
// call. The key may alias a buffer.
func (c *Part) Grant(hash uint64, key, from string, enc wire.Encoding, now int64) (e *store.Entry, lease time.Duration) {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.State.MayServe(hash, now) != nil {
		return nil, 0
	}
	if e = c.LookupFor(hash, key, now, enc, nil); e == nil {
		return nil, 0
	}
	left := min(int64(c.Lease), c.State.Confirmed()-now) // no copy outlives this node's own right
	if until := FreshUntil(e); until != 0 {
		left = min(left, until-now)
	}
	if left > 0 && c.Fits(e) && c.registerLocked(s, e.Key, from, now, now+left) {
		lease = time.Duration(left)
	}
	return e, lease
}

// registerLocked notes a holder. It reports false if the lease cannot be granted.
func (c *Part) registerLocked(s *shard, key, id string, now, until int64) bool {
	v := c.State.View() // nil if the node closed a moment ago
	if s.clearing > 0 || s.closed || v == nil || v.Peers[id] == nil {
		return false
	}
	c.leased.Store(true)
	b := s.books[key]
	if b != nil && b.write != nil {
		return false
	}
	if b == nil {
		if b = new(book); len(s.books) >= maxBooks {
			return false
		}
	}
	for i := range b.holders {
		if b.holders[i].id == id {
			b.holders[i].until = max(b.holders[i].until, until)
			return true
		}
	}
	if len(b.holders) == cap(b.holders) {
		b.live(now)
	}
	if n := len(b.holders); n == cap(b.holders) {
		if n >= maxHolders || !c.chargeLocked(b, key, max(2*n, 1)) {
			return false
		}
		b.holders = append(make([]holder, 0, max(2*n, 1)), b.holders...)
	}
	b.holders = append(b.holders, holder{id, until})
	s.books[key] = b
	return true
}

// reserveLocked reserves a key for a write that waits: nobody else writes or
// loads it, and a load that is under way stores nothing.
func (c *Part) reserveLocked(s *shard, key string) {
	b := s.books[key]
	if b == nil {
		b = &book{}
		s.books[strings.Clone(key)] = b
	}
	b.write = make(chan struct{})
	c.voidKeyLocked(s, key)
	s.changes.Add(1)
}

// writeReserved carries out a write of a key that tryWrite has reserved. It goes
// on when ctx ends, for the origin may have been written, holders may have
// dropped their copies, and others wait for the key.
func (c *Part) writeReserved(ctx context.Context, s *shard, hash uint64, key string, ch Change) error {
	result := make(chan error, 1)
	go func() { // tryWrite has announced it to Close
		defer c.Life.Done()
		result <- c.writeDetached(context.WithoutCancel(ctx), s, hash, key, ch)
	}()
	maybe := func(err error) error {
		return &errs.PeerError{Op: opName(ch.E), Member: c.Member, Addr: c.Addr, MaybeApplied: true, Err: err}
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return maybe(ctx.Err())
	case <-c.Life.Closing():
		return maybe(errs.ErrClosed)
	}
}

// writeDetached writes the origin, if the group has a Writer; then it tells the
// holders and waits until each acknowledged or its lease has lapsed; only then
// it changes the store. Hits here see the former value meanwhile, as holders do,
// so nobody sees the new value before everybody does.
func (c *Part) writeDetached(ctx context.Context, s *shard, hash uint64, key string, ch Change) error {
	var failed error
	toOrigin := c.WritesOrigin(ch)
	if toOrigin {
		if failed = c.writeOrigin(ctx, s, hash, key, ch.E); failed != nil {
			ch = Change{CacheOnly: true} // nobody knows what the origin has now: forget
		}
	}
	c.recall(s, hash, key)
	s.mu.Lock()
	err := c.installLocked(s, hash, key, ch)
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
	switch {
	case failed != nil:
		return failed
	case toOrigin && err != nil:
		c.Owe(key)
		return &errs.PeerError{Op: opName(ch.E), Member: c.Member, Addr: c.Addr, MaybeApplied: true,
			Err: fmt.Errorf("the origin was written, but another member may still have the former value: %v", err)}
	}
	return err
}

func opName(e *store.Entry) string {
	if e == nil {
		return wire.OpNames[wire.OpDelete]
	}
	return wire.OpNames[wire.OpSet]
}

// releaseLocked ends the reservation of a key. A load that waited for that begins.
func (c *Part) releaseLocked(s *shard, hash uint64, key string) {
	b := s.books[key]
	if b == nil || b.write == nil {
		return
	}
	close(b.write)
	b.write = nil
	c.closeBookLocked(s, key, b)
	c.advanceLocked(s, hash, key)
}

// recall ends all leases on a key that is reserved. It returns when every holder
// has acknowledged or its lease has lapsed.
func (c *Part) recall(s *shard, hash uint64, key string) {
	s.mu.Lock()
	b := s.books[key]
	var holders []holder
	if b != nil {
		holders, b.holders = b.holders, nil
		if b.write == nil {
			c.closeBookLocked(s, key, b)
		}
	}
	s.mu.Unlock()
	if c.Faults.SkipInvalidation {
		return
	}
	done := make(chan struct{}, len(holders))
	for _, h := range holders {
		go func() {
			defer func() { done <- struct{}{} }()
			c.recallFrom(h, key)
		}()
	}
	for range holders {
		<-done
	}
}

// recallFrom ends one lease.
func (c *Part) recallFrom(h holder, key string) {
	lapse := time.Duration(h.until - c.Clock.Now())
	if lapse <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lapse)
	defer cancel()
	defer context.AfterFunc(c.Life.Context(), cancel)()
	for {
		v := c.State.View()
		if v == nil {
			return
		}
		// A holder that is in no view any more drops nothing on our word: its lease
		// must lapse.
		if peer := v.Peers[h.id]; peer != nil {
			if c.Others.Invalidate(ctx, peer, key) {
				return
			}
		}
		if err := c.Life.Pause(ctx, recallPause); errors.Is(err, errs.ErrClosed) || ctx.Err() != nil {
			return
		}
	}
}

// SweepBooks drops leases that lapsed.
func (c *Part) SweepBooks(now int64) {
	if !c.leased.Swap(false) {
		return
	}
	c.eachShard(func(s *shard) {
		for key, b := range s.books {
			if b.live(now) {
				c.leased.Store(true)
			} else {
				c.closeBookLocked(s, key, b)
			}
		}
	})
}
