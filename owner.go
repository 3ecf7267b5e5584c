package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// Shards divide the keys of a group so that writes and loads of different keys rarely
// meet. There is a power of two of them: one for each shardFrom bytes of MaxBytes, so that
// they take a fiftieth of it, and maxShards at most.
const (
	maxShards = 64
	shardFrom = 16 << 10
)

// A shard is the owner's books on a part of a group's keys: what is being
// loaded, who holds copies, what is being written. Hits never come here;
// everything that changes a key does, and holds the lock while it changes the
// store, so the order of the lock is the order of the key's history.
type shard struct {
	mu sync.Mutex

	// lanes are the loads whose value may be stored, by key. Guarded by mu.
	lanes map[string]*lane

	// running counts the flights that have begun and not ended, void ones too.
	// Guarded by mu.
	running int

	// cohorts are the loads whose value is not stored, by key. Guarded by mu.
	cohorts map[string]*cohorts
	spaced  int // of these, those that wait between two loads; guarded by mu

	// tooLarge are the keys whose value does not fit an answer to a peer, until when.
	// Guarded by mu; at most maxTooLarge.
	tooLarge map[string]int64

	// writings are the calls of the Writer that have not returned, by key, and
	// overdue is how many of these should have. Guarded by mu.
	writings map[string]*writing
	overdue  int

	// books are the keys with leases out or a write under way. Guarded by mu.
	books map[string]*book

	// changes counts what was written, stored and forgotten: see spareToken. Written
	// with mu held, read without it.
	changes atomic.Uint64

	clearing int  // Clears under way: no lease is granted; guarded by mu
	emptying int  // of these, those that empty the store: nothing that is loaded is stored; guarded by mu
	closed   bool // nothing new may start; guarded by mu

	_ [64]byte // keeps neighbours out of one cache line
}

// shardBytes is what a shard takes while nothing is in it: it has four maps.
const shardBytes = int64(unsafe.Sizeof(shard{})) + 4*48

func shardsFor(maxBytes int64) int {
	n := 1
	for n < maxShards && int64(n) < maxBytes/shardFrom {
		n *= 2
	}
	return n
}

func newShards(n int) *[]shard {
	shards := make([]shard, n)
	for i := range shards {
		s := &shards[i]
		s.lanes, s.cohorts = make(map[string]*lane), make(map[string]*cohorts)
		s.writings, s.books = make(map[string]*writing), make(map[string]*book)
	}
	return &shards
}

// closedShards are those of every group that was closed before it had any.
var closedShards = func() *[]shard {
	shards := newShards(1)
	(*shards)[0].closed = true
	return shards
}()

// made returns the shards, none before the first load or write. Nothing can be in them
// that began before they were made, so whoever changes the view or the era, and then
// finds none, need not look: what begins in them sees the change.
func (c *part) made() []shard {
	if p := c.shards.Load(); p != nil {
		return *p
	}
	return nil
}

// allShards returns the shards, and makes them first if need be.
func (c *part) allShards() []shard {
	if p := c.shards.Load(); p != nil {
		return *p
	}
	c.shards.CompareAndSwap(nil, newShards(c.shardCount))
	return *c.shards.Load()
}

// shard returns the books for a key. Whoever chooses keys can choose bits of their
// hashes, but not how these are scattered.
func (c *part) shard(hash uint64) *shard {
	shards := c.allShards()
	return &shards[c.scatter.Of(hash)&uint64(len(shards)-1)]
}

// A change is what a write does to a key.
type change struct {
	e *store.Entry // the new value; nil: none

	// merge says that e was handed over by a former owner: it counts only if it
	// is newer than what is here, and it may come before the view has settled.
	merge bool

	// cacheOnly says that the origin must not be written: it was already.
	cacheOnly bool
}

// writesOrigin reports whether a change goes to the group's Writer first.
func (c *part) writesOrigin(ch change) bool {
	return c.origin.Write != nil && !ch.merge && !ch.cacheOnly
}

// write installs e as the value of the key, or removes the value if e is nil or
// has expired. When it returns nil, no Get that starts later on any member, and
// no load that started earlier, brings back an older value. The key must not
// alias a buffer. Errors: errs.ErrNotOwner, ErrUnsettled, ErrTooLarge, ErrWriterBusy,
// ErrOverloaded and ErrClosed, and then nothing was changed; *PeerError if ctx ended while the write was
// waiting for leases to end, and then it may be applied yet.
func (c *part) write(ctx context.Context, hash uint64, key string, ch change) error {
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

// writeNow is write where that waits for nothing. If it reports false, nothing was done.
func (c *part) writeNow(hash uint64, key string, ch change) (done bool, err error) {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.books[key]
	if c.writesOrigin(ch) || b != nil && (b.write != nil || b.live(c.clock.Now())) {
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
func (c *part) awaitTurn(ctx context.Context, last <-chan struct{}, s *shard, key string, pending <-chan struct{}) error {
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
		case <-c.life.Closing():
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
func (c *part) tryWrite(s *shard, hash uint64, key string, ch change) (done bool, pending <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.books[key]
	if b != nil && b.write != nil {
		return false, b.write, nil
	}
	if err := c.writableLocked(s, hash, ch); err != nil {
		return true, nil, err
	}
	toOrigin := c.writesOrigin(ch)
	if toOrigin {
		if pending, err := s.writingLocked(key); pending != nil || err != nil {
			return err != nil, pending, err
		}
		s.beginWritingLocked(key)
	}
	if toOrigin || b != nil && b.live(c.clock.Now()) {
		c.reserveLocked(s, key)
		c.life.Begin() // for writeReserved; later it could come after Close waited
		return false, nil, nil
	}
	if b != nil { // all leases have lapsed
		c.closeBookLocked(s, key, b)
	}
	return true, nil, c.installLocked(s, hash, key, ch)
}

// writableLocked returns why a write cannot be carried out.
func (c *part) writableLocked(s *shard, hash uint64, ch change) error {
	if s.closed {
		return c.closedError()
	}
	if ch.e != nil && ch.e.Size() > c.store.MaxEntry() {
		return c.tooLarge(ch.e)
	}
	err := c.state.MayServe(hash, c.clock.Now())
	if ch.merge && errors.Is(err, errs.ErrUnsettled) {
		return nil
	}
	if err == nil && c.writesOrigin(ch) && c.state.Phase() == view.AsMinority {
		return c.minorityError(ch, false) // the origin is not touched
	}
	return err
}

// installLocked changes the store and takes back the token of a load. In a
// minority the change holds on this side only, and that is an error.
func (c *part) installLocked(s *shard, hash uint64, key string, ch change) error {
	if err := c.writableLocked(s, hash, ch); err != nil {
		return err
	}
	if err := c.putLocked(s, hash, key, ch); err != nil || ch.merge {
		return err
	}
	if c.state.Phase() != view.AsMinority {
		return nil
	}
	c.owe(key)
	return c.minorityError(ch, true)
}

// minorityError says that this side is not the majority.
func (c *part) minorityError(ch change, applied bool) error {
	return &errs.PeerError{Op: opName(ch.e), Member: c.member, Addr: c.addr, MaybeApplied: applied, Err: errs.ErrMinority}
}

// putLocked changes the store and takes back the token of a load.
func (c *part) putLocked(s *shard, hash uint64, key string, ch change) error {
	c.voidKeyLocked(s, key)
	s.changes.Add(1)
	c.forgetTooLargeLocked(s, key)
	c.setbacks.forget(key)
	now, era := c.clock.Now(), c.state.Era() // before dated looks whether a member is missing
	e := c.dated(ch, key, now)
	if ch.merge {
		if old := c.store.Peek(hash, key, now); old != nil && !newer(e, old) {
			return nil
		}
	}
	if e == nil || e.Expires != 0 && e.Expires <= now {
		c.store.Delete(hash, key)
		return nil
	}
	if c.origin.Load != nil {
		c.attend(e, now)
	}
	e.Epoch.Store(era)
	return c.storeError(e, c.store.Set(hash, e, now))
}

// dated returns the entry that a write stores, nil for none. Without a loader
// nobody could bring a value back, so values carry a version, by which the
// newest is found when two sides of a cut grow together; and while a member may
// be on the other side a Delete leaves a trace, lest its value come back.
func (c *part) dated(ch change, key string, now int64) *store.Entry {
	e := ch.e
	switch {
	case ch.merge:
	case c.origin.Load != nil:
		if e != nil {
			e.Expires = c.state.Limit(e.Expires, now)
		}
	case e != nil:
		e.Version, e.Primary = c.clock.NextVersion(), c.state.Primary()
	case c.state.Tracing():
		e = &store.Entry{Key: strings.Clone(key), Negative: true, Version: c.clock.NextVersion(), Primary: c.state.Primary(),
			Expires: now + int64(view.TraceFor)}
	}
	return e
}

// newer reports whether a was written after b: by a later primary, or by the same
// one and a later clock. So what a majority wrote counts more than what a
// minority, or an owner that was cut off, wrote meanwhile, whatever their clocks.
func newer(a, b *store.Entry) bool {
	return a.Primary > b.Primary || a.Primary == b.Primary && a.Version > b.Version
}

// storeError puts what the store said about e into this package's words.
func (c *part) storeError(e *store.Entry, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrClosed):
		return c.closedError()
	}
	return c.tooLarge(e)
}

func (c *part) tooLarge(e *store.Entry) error {
	return &errs.RemoteError{Text: fmt.Sprintf("%v: it takes %d bytes with its key and bookkeeping, group %q holds at most %d in one entry",
		errs.ErrTooLarge, e.Size(), c.name, c.store.MaxEntry()), Known: errs.ErrTooLarge}
}

// dropLost forgets what this member does not own in v, so that nothing old can
// return when the keys come back to it, and hot copies that came from a member
// that does not own them in v. Their holders do the same, so the leases on what
// was lost need no invalidation. They stay in the books until they lapse, for the
// keys may come back before that, and a holder that learns of both changes at
// once sees the same owner and keeps its copy. Writers that run for what was lost
// hold back the acknowledgement of v. What nobody could load again stays, to be handed
// over.
func (c *part) dropLost(v *view.View) {
	lost := func(key string) bool { return v.Standing(ring.Hash(c.seed, key)) != view.OwnsIt }
	shards := c.made()
	for i := range shards {
		s := &shards[i]
		s.mu.Lock()
		s.changes.Add(1)
		for key := range s.lanes {
			if lost(key) {
				c.voidKeyLocked(s, key)
				c.advanceLocked(s, ring.Hash(c.seed, key), key) // who waits there asks the new owner
			}
		}
		for key, w := range s.writings {
			if lost(key) {
				c.holdWritingLocked(w)
			}
		}
		s.mu.Unlock()
	}
	if c.origin.Load != nil {
		c.store.DeleteIf(func(hash uint64, _ *store.Entry) bool { return v.Standing(hash) != view.OwnsIt })
	}
}

// close ends all loads and empties the store.
func (c *part) close() {
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
	c.store.Close()
}

// setTTL lets an entry expire after the TTL, never if that is forever or not
// positive.
func (c *part) setTTL(e *store.Entry, ttl time.Duration) {
	if ttl > 0 && ttl != forever {
		e.Expires = clock.Later(c.clock.Now(), ttl)
	}
}

// allow charges an entry for a decoded value as large as its bytes, which it may come
// to hold: then its first hit need not replace it, if that is right. An entry that has
// no room for it is charged when it is known.
func (c *part) allow(e *store.Entry) {
	if c.decodedSize == 0 {
		return
	}
	e.Extra = store.Allocated(c.decodedSize) + int64(len(e.Data))
	if e.Size() > c.store.MaxEntry() {
		e.Extra = 0
	}
}
