package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A LoaderFunc fetches the value of a key from where it really lives. It runs
// on the key's owner, at most once at a time per key in the whole mesh. It
// returns ErrNotFound, wrapped or not, for a key that does not exist.
//
// ctx carries the values of the context of whoever asked first, but not its
// deadline: it ends after GroupOptions.LoadTimeout, or when nobody waits any
// more. What the loader returns is shared and must not be changed afterwards;
// a []byte is copied. Returning nil without an error is an error.
type LoaderFunc[V any] func(ctx context.Context, key string) (V, error)

var (
	errLoadedNil  = errors.New("it returned nil and no error: return ErrNotFound if there is no such value")
	errLoadGoexit = errors.New("it ended its goroutine with runtime.Goexit")
)

// loaderGrace is how long a loader whose context has ended may take to return,
// so that its own error is seen instead of the context's.
const loaderGrace = 10 * time.Millisecond

// standInKeep is how long a stand-in keeps a value that it loaded for an owner
// that could not be reached: long enough that the origin sees one load and not
// one per member, short beside any MaxStale.
const standInKeep = 500 * time.Millisecond

// A flight is one load in progress. Its result reaches everyone who waits
// through the singleflight call that runs it; a flight adds what that lacks:
// who still waits, and whether the value may be stored.
type flight struct {
	ctx     context.Context // the loader's: its own deadline, ends when nobody waits
	cancel  context.CancelFunc
	standIn bool // loaded for an owner that could not be reached

	// The fields below are guarded by the lock of the shard that lists the flight.

	waiters int

	// void is the fill token taken back: a write or a change of view came after
	// the load began. Its value answers those who waited already and no one else.
	void bool
}

func (c *groupCore) newFlight(ctx context.Context, standIn bool) *flight {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.loadTimeout)
	return &flight{ctx: ctx, cancel: cancel, standIn: standIn}
}

// load answers a Get that missed at the owner, or at a stand-in for it: it
// joins the flight of the key or starts one. The key must not alias a buffer.
// Its errors are ctx's own, errNotOwner, ErrUnsettled, ErrClosed, ErrNotFound
// and *LoadError.
func (c *groupCore) load(ctx context.Context, hash uint64, key string, standIn bool) (*store.Entry, error) {
	s := c.shard(hash)
	for {
		e, f, result, busy, err := c.joinFlight(ctx, s, hash, key, standIn)
		switch {
		case e != nil || err != nil:
			return e, err
		case busy != nil:
			select { // until nobody holds or writes an older value
			case <-busy:
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-c.node.closing:
				return nil, ErrClosed
			}
			continue
		}
		select {
		case r := <-result:
			e, _ := r.Val.(*store.Entry)
			return e, r.Err
		case <-ctx.Done():
			s.leave(key, f)
			return nil, ctx.Err()
		case <-c.node.closing:
			return nil, ErrClosed
		}
	}
}

// joinFlight returns one of: an entry that is there after all; the flight of the
// key with the channel of its result; a channel that is closed when it is worth
// trying again; an error.
func (c *groupCore) joinFlight(ctx context.Context, s *shard, hash uint64, key string, standIn bool) (
	e *store.Entry, f *flight, result <-chan singleflight.Result, busy <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, nil, nil, ErrClosed
	}
	if err := c.node.mayServe(hash); err != nil && !standIn {
		return nil, nil, nil, nil, err
	}
	// The store is looked at again, now that no write can slip in between: a
	// flight that ended a moment ago has left its value there.
	now := c.node.now()
	if e := c.store.Get(hash, key, now); e != nil {
		return e, nil, nil, nil, nil
	}
	if busy := c.busyLocked(s, hash, key, now); busy != nil {
		return nil, nil, nil, busy, nil
	}
	if c.loader == nil {
		return nil, nil, nil, nil, ErrNotFound
	}
	if f = s.flights[key]; f == nil {
		f = c.newFlight(ctx, standIn)
		s.flights[key] = f
		c.node.work.Add(1)
	} else {
		c.stats.deduplicated.Add(1)
	}
	f.waiters++
	return nil, f, s.calls.DoChan(key, func() (any, error) { return c.run(s, f, hash, key) }), nil, nil
}

// busyLocked returns a channel to wait on before a key that is not in the store
// may be loaded, nil if it may. While holders serve a copy of a value that the
// store has evicted, a load could bring a newer one, and then readers would see
// the older after the newer: the leases are recalled first.
func (c *groupCore) busyLocked(s *shard, hash uint64, key string, now int64) <-chan struct{} {
	b := s.books[key]
	if b == nil {
		return nil
	}
	if b.write != nil {
		return b.write
	}
	if !b.live(now) {
		delete(s.books, key)
		return nil
	}
	b.write = make(chan struct{})
	c.node.work.Add(1)
	go func() {
		defer c.node.work.Done()
		c.recall(s, hash, key)
		s.mu.Lock()
		s.releaseLocked(key)
		s.mu.Unlock()
	}()
	return b.write
}

// run carries out a flight. It unlinks the flight before its result is
// published, so that whoever asks later cannot be answered by it, and it stores
// the value in the same critical section that finds the token still standing.
func (c *groupCore) run(s *shard, f *flight, hash uint64, key string) (*store.Entry, error) {
	defer c.node.work.Done()
	defer f.cancel()
	e, err := c.callLoader(f.ctx, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.void && !c.node.opts.hooks.faults.IgnoreFillToken {
		return e, err
	}
	s.unlinkLocked(key, f)
	if err == nil {
		c.fillLocked(f, hash, e)
	}
	return e, err
}

// fillLocked stores a loaded value if it may be stored.
func (c *groupCore) fillLocked(f *flight, hash uint64, e *store.Entry) {
	now := c.node.now()
	switch {
	case e.Expires == doNotStore:
		return
	case f.standIn:
		limitExpiry(e, now+int64(standInKeep))
	case c.node.mayServe(hash) != nil:
		return
	}
	c.node.limitNew(e, now)
	e.Epoch.Store(c.node.era.Load())
	// A value too large to keep still answers those who wait.
	if c.store.Set(hash, e, now) != nil {
		c.stats.tooLarge.Add(1)
	}
}

// callLoader runs the loader in a goroutine of its own, so that a panic, a
// Goexit and a loader that ignores its context all end in an error for those
// who wait.
func (c *groupCore) callLoader(ctx context.Context, key string) (*store.Entry, error) {
	start := time.Now()
	c.stats.loads.Add(1)
	done := make(chan loaded, 1)
	go func() {
		// If the loader neither returns nor panics, it called Goexit.
		out := loaded{err: c.loadError(key, errLoadGoexit)}
		defer func() {
			if p := recover(); p != nil {
				err := c.loadError(key, fmt.Errorf("%v\n%s", p, debug.Stack()))
				err.Panic = true
				out = loaded{err: err}
			}
			done <- out
		}()
		e, err := c.loader(ctx, key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			err = c.loadError(key, err)
		}
		out = loaded{e, err}
	}()
	out := c.awaitLoader(ctx, key, done)
	c.stats.loaded(time.Since(start), out.err != nil && !errors.Is(out.err, ErrNotFound))
	return out.entry, out.err
}

// loaded is what a loader returned.
type loaded struct {
	entry *store.Entry
	err   error
}

func (c *groupCore) awaitLoader(ctx context.Context, key string, done <-chan loaded) loaded {
	select {
	case out := <-done:
		return out
	case <-ctx.Done():
	}
	grace := time.NewTimer(loaderGrace)
	defer grace.Stop()
	select {
	case out := <-done:
		return out
	case <-grace.C:
		return loaded{err: c.loadError(key, ctx.Err())}
	}
}

func (c *groupCore) loadError(key string, err error) *LoadError {
	return &LoadError{Group: c.name, Key: key, Member: c.node.name, Err: err}
}
