package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// shardCount divides the keys of a group so that writes and loads of different
// keys rarely meet. A power of two.
const shardCount = 64

// A shard is the owner's books on a part of a group's keys: what is being
// loaded, who holds copies, what is being written. Hits never come here;
// everything that changes a key does, and holds the lock while it changes the
// store, so the order of the lock is the order of the key's history.
type shard struct {
	mu sync.Mutex

	// flights are the loads in progress whose value may be stored, by key.
	// Guarded by mu. A void flight is not listed.
	flights map[string]*flight

	// running counts the flights that have not ended, void ones too. Guarded by mu.
	running int

	// calls runs the flights and hands their results to all who wait. Its own
	// lock is taken inside mu, never around it.
	calls singleflight.Group

	// cohorts are the loads whose value is not stored, by key. Guarded by mu.
	cohorts map[string]*cohorts

	// books are the keys with leases out or a write under way. Guarded by mu.
	books map[string]*book

	clearing int  // Clears under way: no lease is granted; guarded by mu
	emptying int  // of these, those that empty the store: nothing that is loaded is stored; guarded by mu
	closed   bool // nothing new may start; guarded by mu

	_ [64]byte // keeps neighbours out of one cache line
}

func (c *groupCore) init() {
	for i := range c.shards {
		c.shards[i].flights = make(map[string]*flight)
		c.shards[i].cohorts = make(map[string]*cohorts)
		c.shards[i].books = make(map[string]*book)
	}
}

// shard returns the books for a key. The ring fixes a member's high bits of the
// hash, so the low ones choose.
func (c *groupCore) shard(hash uint64) *shard { return &c.shards[hash%shardCount] }

// mayServe returns nil if this node may answer for a key from what it holds, and
// may change it; else errNotOwner or ErrUnsettled.
func (n *Node) mayServe(hash uint64) error { return n.mayServeAt(hash, n.now()) }

// mayServeAt is mayServe for a caller that has just looked at the clock.
func (n *Node) mayServeAt(hash uint64, now int64) error {
	v := n.view.Load()
	if v == nil {
		return ErrClosed
	}
	switch v.standing(hash) {
	case ownsIt:
		if now < n.confirmed.Load() {
			return nil
		}
		return ErrUnsettled
	case gaining:
		return ErrUnsettled
	default:
		return errNotOwner
	}
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
func (c *groupCore) writesOrigin(ch change) bool {
	return c.writer != nil && !ch.merge && !ch.cacheOnly
}

// write installs e as the value of the key, or removes the value if e is nil or
// has expired. When it returns nil, no Get that starts later on any member, and
// no load that started earlier, brings back an older value. The key must not
// alias a buffer. Errors: errNotOwner, ErrUnsettled, ErrTooLarge and ErrClosed,
// and then nothing was changed; *PeerError if ctx ended while the write was
// waiting for leases to end, and then it may be applied yet.
func (c *groupCore) write(ctx context.Context, hash uint64, key string, ch change) error {
	s := c.shard(hash)
	for {
		done, pending, err := c.tryWrite(s, hash, key, ch)
		if done {
			return err
		}
		if pending == nil {
			return c.writeReserved(ctx, s, hash, key, ch)
		}
		select { // another write waits for leases to end
		case <-pending:
		case <-ctx.Done():
			return ctx.Err()
		case <-c.node.closing:
			return ErrClosed
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
func (c *groupCore) tryWrite(s *shard, hash uint64, key string, ch change) (done bool, pending <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.books[key]
	if b != nil && b.write != nil {
		return false, b.write, nil
	}
	if err := c.writableLocked(s, hash, ch); err != nil {
		return true, nil, err
	}
	if b != nil && b.live(c.node.now()) || c.writesOrigin(ch) {
		s.reserveLocked(key)
		c.node.work.Add(1) // for writeReserved; later it could come after Close waited
		return false, nil, nil
	}
	delete(s.books, key)
	return true, nil, c.installLocked(s, hash, key, ch)
}

// writableLocked returns why a write cannot be carried out.
func (c *groupCore) writableLocked(s *shard, hash uint64, ch change) error {
	if s.closed {
		return ErrClosed
	}
	if ch.e != nil && ch.e.Size() > c.store.MaxEntry() {
		return c.tooLarge(ch.e)
	}
	err := c.node.mayServe(hash)
	if ch.merge && errors.Is(err, ErrUnsettled) {
		return nil
	}
	return err
}

// installLocked changes the store and takes back the token of a load.
func (c *groupCore) installLocked(s *shard, hash uint64, key string, ch change) error {
	if err := c.writableLocked(s, hash, ch); err != nil {
		return err
	}
	if f := s.flights[key]; f != nil {
		s.voidLocked(key, f)
	}
	now, era := c.node.now(), c.node.era.Load() // before dated looks whether a member is missing
	e := c.dated(ch, key, now)
	if ch.merge {
		if old := c.store.Peek(hash, key, now); old != nil && old.Version >= e.Version {
			return nil
		}
	}
	if e == nil || e.Expires != 0 && e.Expires <= now {
		c.store.Delete(hash, key)
		return nil
	}
	if c.loader != nil {
		c.attend(e, now)
	}
	e.Epoch.Store(era)
	return c.storeError(e, c.store.Set(hash, e, now))
}

// dated returns the entry that a write stores, nil for none. Without a loader
// nobody could bring a value back, so values carry a version, by which the
// newest is found when two sides of a cut grow together; and while a member may
// be on the other side a Delete leaves a trace, lest its value come back.
func (c *groupCore) dated(ch change, key string, now int64) *store.Entry {
	e := ch.e
	switch {
	case ch.merge:
	case c.loader != nil:
		if e != nil {
			c.node.limitNew(e, now)
		}
	case e != nil:
		e.Version = c.node.nextVersion()
	case c.node.tracing.Load():
		e = &store.Entry{Key: strings.Clone(key), Negative: true, Version: c.node.nextVersion(), Expires: now + int64(traceFor)}
	}
	return e
}

// storeError puts what the store said about e into this package's words.
func (c *groupCore) storeError(e *store.Entry, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrClosed):
		return ErrClosed
	}
	return c.tooLarge(e)
}

func (c *groupCore) tooLarge(e *store.Entry) error {
	return &remoteError{fmt.Sprintf("%v: it takes %d bytes with its key and bookkeeping, group %q holds at most %d in one entry",
		ErrTooLarge, e.Size(), c.name, c.store.MaxEntry()), ErrTooLarge}
}

// voidLocked takes back the fill token of a flight.
func (s *shard) voidLocked(key string, f *flight) {
	if !f.void {
		f.void = true
		s.unlinkLocked(key, f)
	}
}

// unlinkLocked makes sure that nobody joins the flight any more.
func (s *shard) unlinkLocked(key string, f *flight) {
	if s.flights[key] == f {
		delete(s.flights, key)
		s.calls.Forget(key)
	}
}

// leave notes that one who waited for a flight has gone. The last one cancels
// the load, and nobody may join it any more.
func (s *shard) leave(key string, f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.waiters--
	if f.waiters == 0 {
		s.voidLocked(key, f)
		f.cancel()
	}
}

// dropLost forgets what this member does not own in v, so that nothing old can
// return when the keys come back to it, and hot copies that came from a member
// that does not own them in v. Their holders do the same, so the leases on what
// was lost need no invalidation. They stay in the books until they lapse, for the
// keys may come back before that, and a holder that learns of both changes at
// once sees the same owner and keeps its copy. It returns what must be handed
// over.
func (c *groupCore) dropLost(v *view) []parcel {
	lost := func(key string) bool { return v.standing(ring.Hash(c.seed, key)) != ownsIt }
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for key, f := range s.flights {
			if lost(key) {
				s.voidLocked(key, f)
			}
		}
		s.mu.Unlock()
	}
	var parcels []parcel
	c.store.DeleteIf(func(hash uint64, e *store.Entry) bool {
		switch st := v.standing(hash); {
		case st == ownsIt:
			return false
		case e.Version == 0:
			return true
		case st == gaining: // handed over already; the newest version counts in the end
			return false
		default:
			parcels = append(parcels, parcel{c, hash, e})
			return true
		}
	})
	c.hot.Retain(func(hash uint64, owner string) bool { return v.ownerID(hash) == owner })
	return parcels
}

// close ends all loads and empties the store.
func (c *groupCore) close() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.closed = true
		for _, f := range s.flights {
			f.cancel()
		}
		for _, pair := range s.cohorts {
			pair.running.cancel()
			if pair.next != nil {
				pair.next.cancel()
			}
		}
		s.mu.Unlock()
	}
	c.hot.Close()
	c.store.Close()
}
