package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Group is a named part of the cache with values of one type, spread over all
// members that registered it. Its methods are called concurrently.
//
// Values handed out are shared with the cache and with other callers: do not
// change what they refer to.
type Group[V any] struct {
	core     *groups.Core
	values   values[V]
	registry *groups.Registry // of its node
}

// Get returns the value of a key: from memory here, from its owner, or through
// the loader. A hit in this member's memory allocates nothing.
//
// Errors: *StaleError, together with a value, unless GroupOptions.OnStale is told of it; ErrNotFound; *LoadError, for all who waited for the load; ctx's own
// error, for this caller alone; *PeerError if the group has no loader and the
// owner cannot be reached; ErrInvalidKey; ErrClosed, ErrGroupClosed and ErrNotStarted.
func (g *Group[V]) Get(ctx context.Context, key string) (V, error) {
	if err := wire.CheckKey(key); err != nil {
		var zero V
		return zero, err
	}
	c := g.core
	hash, now := ring.Hash(c.Seed, key), c.Clock.Now()
	e := c.Hit(hash, key, now)
	if e == nil {
		o := c.Get(ctx, hash, key, now)
		v, _, err := g.values.answer(&o)
		if errs.IsUnreadable(err) {
			v, err = g.values.reload(ctx, hash, key, o.E, err)
		}
		return v, g.values.told(ctx, err)
	}
	if e.Inline {
		// It was made by entryWith. Found from the entry's place, and not from what the
		// entry says, the value comes from memory while the entry still does.
		return *(*V)(unsafe.Add(unsafe.Pointer(e), unsafe.Sizeof(*e))), nil
	}
	if e.Negative {
		c.Stats.NegativeHits.Add(1)
		var zero V
		return zero, errs.ErrNotFound
	}
	v, err := g.values.value(e)
	if err != nil {
		v, err = g.values.reload(ctx, hash, key, e, err)
	}
	return v, g.values.told(ctx, err)
}

// Set makes v the value of the key, at the key's owner. When it returns nil,
// every Get that starts later sees v or something newer, on any member, and a
// load that was in progress cannot undo it. A ttl of zero means the group's own,
// Forever none.
// v may be changed afterwards if the codec copies it, as the default does.
//
// With a Writer the origin is written first, at the owner.
//
// Errors: ErrInvalidKey, ErrInvalidTTL, ErrTooLarge, ErrUnknownGroup and those of
// codec and TTLFunc, a panic of theirs included: nothing was changed. *WriteError: see there. *PeerError: its MaybeApplied says whether the owner may have applied
// it. ErrClosed, ErrGroupClosed, ErrNotStarted.
func (g *Group[V]) Set(ctx context.Context, key string, v V, ttl time.Duration) error {
	if err := wire.CheckKey(key); err != nil {
		return err
	}
	e, err := g.values.newEntry(key, v, ttl)
	if err != nil {
		return err
	}
	if err := g.core.Open(); err != nil {
		return err
	}
	hash := ring.Hash(g.core.Seed, key)
	g.core.Stats.Of(hash).Sets.Add(1)
	return g.core.Change(ctx, hash, key, owner.Change{E: e})
}

// Delete forgets keys, at their owners, with one call per owner. When it
// returns nil, no Get that starts later sees what they had, on any member. Its error is a
// KeyErrors of those keys that failed, one key or many, each with what Set returns; or what Set
// returns for any key: ErrClosed, ErrGroupClosed, ErrNotStarted.
func (g *Group[V]) Delete(ctx context.Context, keys ...string) error {
	if len(keys) == 1 {
		hash := ring.Hash(g.core.Seed, keys[0])
		g.core.Stats.Of(hash).Deletes.Add(1)
		if err := g.core.Open(); err != nil {
			return err
		}
		err := wire.CheckKey(keys[0])
		if err == nil {
			err = g.core.Change(ctx, hash, keys[0], owner.Change{})
		}
		return errs.OfKey(keys[0], err)
	}
	g.core.Stats.Of(0).Deletes.Add(uint64(len(keys)))
	return g.core.DeleteMany(ctx, keys)
}

// AfterCommit calls functions that tell the mesh what a transaction has changed, side by side, and
// each again until it has returned nil. For Delete and DeleteTag, which may be repeated:
//
//	err = tx.Commit() // its answer may have got lost: tell the mesh whatever it says
//	return errors.Join(err, cachemesh.AfterCommit(ctx, 0,
//		func(ctx context.Context) error { return users.Delete(ctx, id) },
//		func(ctx context.Context) error { return lists.DeleteTag(ctx, "team:"+team) },
//	))
//
// They are given the values of ctx and not its end: the rows have changed, whether or not somebody
// waits for the answer. Their context ends when within is over, which they should heed; 0 is 10 s,
// enough for a member that has crashed. Attempts are 50 ms apart at first and 1 s in the end.
//
// The error joins what each last returned, if not nil: then old values may be served until
// somebody deletes them or their TTL has passed. An error that no repetition mends is returned at once: ErrClosed,
// ErrGroupClosed, ErrNotStarted, ErrInvalidKey, an *OptionError, and a panic.
func AfterCommit(ctx context.Context, within time.Duration, forget ...func(ctx context.Context) error) error {
	if within <= 0 {
		within = afterCommitTime
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	failed := make([]error, len(forget))
	var all sync.WaitGroup
	for i, f := range forget {
		all.Go(func() { failed[i] = insist(ctx, f) })
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("cachemesh: old values may be served until they are deleted or their TTL has passed: %w", err)
	}
	return nil
}

const (
	afterCommitTime = 10 * time.Second
	firstPause      = 50 * time.Millisecond // between attempts; each further one is twice as long
	longestPause    = time.Second
)

// insist calls f until it returns nil or what no repetition mends, or ctx ends. That the time was over
// it returns only where f never said anything else.
func insist(ctx context.Context, f func(context.Context) error) (failed error) {
	defer guard.Rescue(&failed)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := f(ctx)
		if err == nil || isFinal(err) {
			return err
		}
		if failed == nil || ctx.Err() == nil {
			failed = err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return failed
		}
	}
}

// isFinal reports whether a Delete that failed would fail again: for all of its keys, and not because
// of the state of another member.
func isFinal(err error) bool {
	if keys, ok := errors.AsType[KeyErrors](err); ok {
		for _, err := range keys {
			if !isFinal(err) {
				return false
			}
		}
		return true
	}
	if _, ok := errors.AsType[*PeerError](err); ok {
		return false
	}
	_, option := errors.AsType[*OptionError](err)
	return option || errors.Is(err, ErrClosed) || errors.Is(err, ErrGroupClosed) || errors.Is(err, ErrNotStarted) || errors.Is(err, ErrInvalidKey)
}

// Clear forgets every key of the group on all members; the origin is left alone.
// When it returns nil, no Get that starts later sees what was cached before, on
// any member, and no load that began before is stored. The entries are gone at once,
// however many there are; it returns when each has been let go, which takes a member
// about a tenth of a second for a million, and their memory is free then. Other calls
// go on meanwhile, but for some that store a value in a full cache.
//
// While the members do not agree on who they are, or one cannot be reached, it
// tries again until ctx ends, or Options.CallTimeout if that has no deadline: then
// some members may have been cleared. Errors: ErrUnsettled; one that joins a
// *PeerError for each member that could not be told, or that sees no majority of the
// mesh, ErrMinority, which then clears the group when it is back; ErrClosed,
// ErrGroupClosed, ErrNotStarted.
func (g *Group[V]) Clear(ctx context.Context) error {
	if err := g.core.Open(); err != nil {
		return err
	}
	g.core.Stats.Purges.Add(1)
	return g.core.Clear(ctx)
}

// Close takes the group off this member, so that NewGroup may register one of the same
// name, with another loader, other options or another type. From its end on calls of
// the group fail with ErrGroupClosed, and to the others this member does not know it:
// see NewGroup.
//
// It recalls the copies that others hold of this member's keys, forgets what is held,
// and waits for the loads and Writers that run: their callers are answered, nothing is
// stored. When it returns nil, or a *LostError, the name is free and the memory too. If
// ctx ends first the loads are called off, which fail with ErrGroupClosed, Close returns
// ctx's error, and closing goes on: a later Close waits for it. A Writer that hangs holds it up
// for twice LoadTimeout, a loader no longer than ctx. Do not call it in a loader of the
// group without a deadline.
//
// Values without a loader that this member owns are kept, on the member that owns them
// when the view changes, until the group is registered again, as those are that are
// handed over: up to 64 MiB of all groups. How many had no room a *LostError says. Clear
// the group first to be rid of them.
//
// Errors: *LostError; ctx's own; ErrClosed if the node is, or closes meanwhile. It is
// safe to call more than once.
func (g *Group[V]) Close(ctx context.Context) error { return g.registry.CloseGroup(ctx, g.core) }
