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

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/serve"
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

// NewGroup registers a group with a node. All members should register it with
// the same loader and options; one that does not know it yet answers so, and
// the others then load for themselves. A nil loader makes a plain distributed
// map, in which a key that was not Set is ErrNotFound.
//
// Register groups before Start, on all members: then no member is ever without one.
// Groups may be registered after it, too. Values that are handed over to a member without
// the group wait there; for two seconds after its Start the others' Gets and Sets of its
// keys wait, if the group has no loader, and then they fail with ErrUnknownGroup until it
// is registered. Errors: *OptionError for an option, an empty or long name or one that is
// taken; ErrClosed.
func NewGroup[V any](n *Node, name string, load LoaderFunc[V], opts GroupOptions[V]) (*Group[V], error) {
	if n == nil {
		return nil, errs.Option("n", nil, errors.New("it is nil"))
	}
	if name == "" || len(name) > wire.MaxGroupLen {
		return nil, errs.Option("name", name, fmt.Errorf("a group's name has 1 to %d bytes", wire.MaxGroupLen))
	}
	if err := opts.validate(n.opts.TotalBytes > 0); err != nil {
		return nil, err
	}
	if err := opts.checkLoading(load); err != nil {
		return nil, err
	}
	if err := opts.checkFormat(); err != nil {
		return nil, err
	}
	return newGroup(n, name, load, opts)
}

func newGroup[V any](n *Node, name string, load LoaderFunc[V], opts GroupOptions[V]) (g *Group[V], err error) {
	err = n.budget.admit(opts.MaxBytes, func(maxBytes int64) (*groupCore, error) {
		opts.MaxBytes = maxBytes
		if g, err = buildGroup(n, name, load, opts); err != nil {
			return nil, err
		}
		return g.core, nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

func buildGroup[V any](n *Node, name string, load LoaderFunc[V], opts GroupOptions[V]) (*Group[V], error) {
	var err error
	var hot *hotcache.Cache // a nil one holds nothing
	p := opts.uses().parts(opts.MaxBytes)
	if p.hot > 0 {
		if hot, err = hotcache.New(hotcache.Options{MaxBytes: p.hot, Threshold: opts.HotReads, Faults: &n.faults}); err != nil {
			return nil, errs.Option("MaxBytes", opts.MaxBytes, err)
		}
	}
	own := strings.Clone(name)
	c := &groupCore{
		node: n, uses: opts.uses(),
	}
	c.Hot, c.Ways = hot, n.ways
	c.server = serve.Server{Part: &c.Part, Hot: hot, Ways: n.ways, Served: func(hash uint64) *atomic.Uint64 { return &c.Stats.Of(hash).Served }}
	c.Init(owner.Basis{
		Setting: &n.setting, Clock: &n.clock, State: n.state, Others: mesh{c},
		Name: own, Seed: ring.Seed(name), Encoding: wire.EncodingOf(opts.Version),
		Origin: &origin.Origin{Group: own, Member: n.name, Known: guard.KnownOf(opts.Errors), Turn: origin.NewTurns(opts.MaxLoads, opts.MaxQueued)},
		Errors: wire.Errors{Group: own, Known: guard.KnownOf(opts.Errors), TooLargeUnreachable: n.faults.TooLargeUnreachable},
		Care: owner.Care{
			LoadTimeout: opts.LoadTimeout, BatchWindow: opts.BatchWindow, NotFoundTTL: opts.NotFoundTTL, FailureTTL: opts.FailureTTL,
			RefreshAfter: opts.RefreshAfter, RefreshPart: opts.RefreshPart,
			StaleFor: opts.StaleFor, StaleWait: opts.StaleWait, FinishLoads: opts.FinishLoads,
		},
	}, p.room(opts.MaxBytes))
	c.Loading, c.closure.callOff = context.WithCancel(n.life.Context())
	if c.Store, err = store.New(store.Options{MaxBytes: p.store, Reserved: c.reserved()}); err != nil {
		c.closure.callOff()
		return nil, errs.Option("MaxBytes", opts.MaxBytes, err)
	}
	g := &Group[V]{core: c, format: codec.New(opts.Codec), opts: opts}
	if g.format.Kind == codec.EncodedKind {
		c.DecodedSize, c.LeasedEntry = max(g.format.Size, 1), g.leasedEntry
	}
	c.Aliases = g.format.Kind != codec.EncodedKind || opts.Codec != nil
	g.attach(load)
	if err := n.addGroup(c); err != nil {
		c.closure.callOff()
		c.Store.Close()
		return nil, err
	}
	return g, nil
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

// GetMany returns the values of the keys that have one, with one call per
// owner. Keys that were not found are missing from the map; keys that failed
// are missing too, and their errors are in the KeyErrors that is returned
// beside the values of the others.
func (g *Group[V]) GetMany(ctx context.Context, keys []string) (map[string]V, error) {
	b, err := g.core.GetMany(ctx, keys, 0)
	if err != nil {
		return nil, err
	}
	defer b.Free()
	got := gathered[V]{values: make(map[string]V, len(keys))}
	var unread []int
	for i := range b.Outcomes {
		v, found, err := g.take(&b.Outcomes[i])
		if errs.IsUnreadable(err) {
			unread = append(unread, i)
			continue
		}
		got.put(keys[i], v, found, err)
	}
	g.reloadMany(ctx, b, unread, &got)
	if got.failed != nil {
		return got.values, got.failed
	}
	return got.values, nil
}

// gathered is what GetMany returns.
type gathered[V any] struct {
	values map[string]V
	failed errs.KeyErrors // nil: none
}

func (r *gathered[V]) put(key string, v V, found bool, err error) {
	if found {
		r.values[key] = v
	}
	if err != nil {
		if r.failed == nil {
			r.failed = make(errs.KeyErrors)
		}
		r.failed[key] = err
	}
}

// reloadMany is reload for keys of a batch, a bounded number at once.
func (g *Group[V]) reloadMany(ctx context.Context, b *route.Batch, indexes []int, got *gathered[V]) {
	if len(indexes) == 0 {
		return
	}
	var mu sync.Mutex // guards got
	var all errgroup.Group
	all.SetLimit(owner.BatchLoaders)
	for _, i := range indexes {
		all.Go(func() error {
			key, o := b.Keys[i], &b.Outcomes[i]
			_, cause := g.decoded(o)
			v, err := g.reload(ctx, ring.Hash(g.core.Seed, key), key, o.E, cause)
			found := err == nil
			if _, stale := err.(*errs.StaleError); stale {
				found = true
			} else if errors.Is(err, errs.ErrNotFound) && !errs.IsOutcome(err) {
				err = nil
			}
			mu.Lock()
			defer mu.Unlock()
			got.put(key, v, found, err)
			return nil
		})
	}
	all.Wait()
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
