package cachemesh

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/praveenduddu/cachemesh/internal/store"
)

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
	standIn bool         // loaded for an owner that could not be reached
	era     uint64       // Node.era when it began: what is held gets a limit in a later one, and so would its value
	refresh *store.Entry // the value that it replaces while that is still served; nil: none
	batch   *loadBatch   // the call of LoadMany that carries it; nil: one of its own
	queued  atomic.Bool  // it waits for its turn to call the loader

	// The fields below are guarded by the lock of the shard that lists the flight.

	waiters int

	// void is the fill token taken back: a write or a change of view came after
	// the load began. Its value answers those who waited already and no one else.
	void bool
}

func (c *groupCore) newFlight(ctx context.Context, standIn bool) *flight {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.loadTimeout)
	return &flight{ctx: ctx, cancel: cancel, standIn: standIn, era: c.node.era.Load()}
}

// load answers a Get that missed at the owner, or at a stand-in for it: it
// joins the flight of the key or starts one. The key must not alias a buffer.
// It reports a hit if the value was there after all.
// Its errors are ctx's own, errNotOwner, ErrUnsettled, ErrClosed, ErrNotFound
// and *LoadError.
func (c *groupCore) load(ctx context.Context, hash uint64, key string, standIn bool) (e *store.Entry, hit bool, err error) {
	s := c.shard(hash)
	for {
		e, f, result, busy, err := c.joinFlight(ctx, s, hash, key, standIn, nil)
		switch {
		case e != nil || err != nil:
			return e, err == nil, err
		case busy != nil:
			select { // until nobody holds or writes an older value
			case <-busy:
			case <-ctx.Done():
				return nil, false, ctx.Err()
			case <-c.node.closing:
				return nil, false, ErrClosed
			}
			continue
		}
		last, cancel := c.lastCall(ctx)
		e, err = c.await(ctx, last, s, key, f, result)
		cancel()
		if err == errVoid {
			continue
		}
		return e, false, err
	}
}

// await waits for a flight that the caller has joined. last is that of lastCall.
func (c *groupCore) await(ctx context.Context, last <-chan struct{}, s *shard, key string, f *flight, result <-chan singleflight.Result) (*store.Entry, error) {
	for {
		select {
		case r := <-result:
			e, _ := r.Val.(*store.Entry)
			return e, r.Err
		case <-last:
			if f.isQueued() && ctx.Err() != context.Canceled {
				s.leave(key, f)
				return nil, errors.Join(ErrOverloaded, context.DeadlineExceeded)
			}
			last = nil
		case <-ctx.Done():
			s.leave(key, f)
			return nil, ctx.Err()
		case <-c.node.closing:
			return nil, ErrClosed
		}
	}
}

// isQueued reports whether the load waits for its turn.
func (f *flight) isQueued() bool {
	return f.queued.Load() || f.batch != nil && f.batch.queued.Load()
}

// joinFlight returns one of: an entry that is there after all, perhaps with a
// *StaleError; the flight of the key with the channel of its result; a channel
// that is closed when it is worth trying again; an error. A flight that it
// starts joins the batch into.
func (c *groupCore) joinFlight(ctx context.Context, s *shard, hash uint64, key string, standIn bool, into *loadBatch) (
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
	if e := c.lookup(hash, key, now); e != nil {
		return e, nil, nil, nil, nil
	}
	if e, err := c.staleNow(hash, key, now); e != nil {
		return e, nil, nil, nil, err
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
		s.running++
		c.node.work.Add(1)
		f.batch = c.batchFor(ctx, into, key)
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

// errVoid sends those who wait for a void flight back to look again.
//
// The schedule it defends against, in a group with a Writer: a load begins; Set A
// voids it and is done; Set B changes the origin, and waits for the holders of A;
// the load reads B's row; whoever waits for it returns B; the next Get, at the
// owner or at a holder, returns A. Without a Writer the origin changes when it
// likes, and then only the write after it counts.
var errVoid = errors.New("cachemesh: the key was written during the load")

// run carries out a flight. It unlinks the flight before its result is
// published, so that whoever asks later cannot be answered by it, and it stores
// the value in the same critical section that finds the token still standing.
func (c *groupCore) run(s *shard, f *flight, hash uint64, key string) (*store.Entry, error) {
	defer c.node.work.Done()
	defer f.cancel()
	defer context.AfterFunc(c.node.closeCtx, f.cancel)()
	e, err := c.loadOnce(f, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	if f.void && !c.node.faults.IgnoreFillToken {
		if c.writer != nil {
			return nil, errVoid
		}
		return e, err
	}
	if f.refresh != nil && (err == nil || errors.Is(err, ErrNotFound)) {
		c.recallForFillLocked(s, f, hash, key)
	}
	s.unlinkLocked(key, f)
	switch {
	case err == nil:
		c.fillLocked(f, hash, e)
	case errors.Is(err, ErrNotFound):
		c.fillNotFoundLocked(f, hash, key)
	default:
		return c.fallBackLocked(hash, key, err)
	}
	return e, err
}

// loadOnce calls the loader for a flight, alone or with others.
func (c *groupCore) loadOnce(f *flight, key string) (*store.Entry, error) {
	if f.batch != nil {
		return f.batch.wait(f.ctx, key)
	}
	return c.callLoader(f.ctx, key, &f.queued)
}
