package cachemesh

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Group is a named part of the cache with values of one type, spread over all
// members that registered it. Its methods are called concurrently.
//
// Values handed out are shared with the cache and with other callers: do not
// change what they refer to.
type Group[V any] struct {
	core   *groupCore
	format codec.Format[V]
	opts   GroupOptions[V]
}

// Get returns the value of a key: from memory here, from its owner, or through
// the loader. A hit in this member's memory allocates nothing.
//
// Errors: *StaleError, together with a value; ErrNotFound; *LoadError, for all who waited for the load; ctx's own
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
		v, err := g.answer(&o)
		if errs.IsUnreadable(err) {
			return g.reload(ctx, hash, key, o.E, err)
		}
		return v, err
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
	v, err := g.value(e)
	if err != nil {
		return g.reload(ctx, hash, key, e, err)
	}
	return v, nil
}

// reload answers a Get of a key whose value cannot be read: by a load, if there is a
// loader. e is the entry that it was in, nil if a peer sent it.
func (g *Group[V]) reload(ctx context.Context, hash uint64, key string, e *store.Entry, cause error) (v V, err error) {
	c := g.core
	c.NoteUnreadable(key, cause)
	if c.Origin.Load == nil {
		return v, errs.ErrNotFound
	}
	if c.Discard(hash, key, e) {
		o := c.GetSlow(ctx, hash, key, c.Clock.Now())
		if v, err = g.answer(&o); !errs.IsUnreadable(err) {
			return v, err
		}
	}
	o := route.OutcomeOf(c.LoadUnstored(ctx, hash, key, false))
	return g.answer(&o)
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
	if ttl < 0 {
		return fmt.Errorf("%w: %v is negative", errs.ErrInvalidTTL, ttl)
	}
	if ttl == 0 {
		var err error
		if ttl, err = g.ttl(key, v); err != nil {
			return fmt.Errorf("cachemesh: TTLFunc: %w", err)
		}
	}
	e, err := g.entry(strings.Clone(key), v, ttl, false)
	if err != nil {
		return err
	}
	if limit := g.core.node.opts.MaxValueBytes; len(e.Data) > limit {
		return fmt.Errorf("%w: it has %d bytes, Options.MaxValueBytes is %d", errs.ErrTooLarge, len(e.Data), limit)
	}
	ch := owner.Change{E: e}
	switch {
	case ttl > 0:
	case g.core.Origin.Write == nil:
		ch = owner.Change{} // it only ends what was there before
	default:
		e.Expires = max(g.core.Clock.Now(), 1)
	}
	if err := g.core.Open(); err != nil {
		return err
	}
	hash := ring.Hash(g.core.Seed, key)
	g.core.Stats.Of(hash).Sets.Add(1)
	return g.core.Change(ctx, hash, key, ch)
}

// Delete forgets keys, at their owners, with one call per owner. When it
// returns nil, no Get that starts later sees what they had, on any member. With
// several keys its error is a KeyErrors; else as Set's.
func (g *Group[V]) Delete(ctx context.Context, keys ...string) error {
	if len(keys) == 1 {
		hash := ring.Hash(g.core.Seed, keys[0])
		g.core.Stats.Of(hash).Deletes.Add(1)
		if err := wire.CheckKey(keys[0]); err != nil {
			return err
		}
		if err := g.core.Open(); err != nil {
			return err
		}
		return g.core.Change(ctx, hash, keys[0], owner.Change{})
	}
	g.core.Stats.Of(0).Deletes.Add(uint64(len(keys)))
	return g.core.DeleteMany(ctx, keys)
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
	return g.core.Clear(ctx)
}

// Stats returns what this member counted for the group.
func (g *Group[V]) Stats() Stats { return g.core.snapshot() }
