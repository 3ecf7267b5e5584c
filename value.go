package cachemesh

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// values is how values of a type go into a group and come out of it.
type values[V any] struct {
	core   *groups.Core
	format codec.Format[V]
	opts   GroupOptions[V]
	limit  int // Options.MaxValueBytes
	teller
}

// entry makes an entry that owns its bytes. What it hands out is what other members
// get: what the bytes decode to. loaded says that v came from a loader: nobody changes
// it any more, and hits of it are decoded here, once.
func (g *values[V]) entry(key string, v V, ttl time.Duration, loaded bool) (*store.Entry, error) {
	f := &g.format
	data, err := f.Encode(v)
	if err != nil {
		return nil, err
	}
	var e *store.Entry
	switch same := f.GivesBack(data); {
	case f.Kind != codec.EncodedKind:
	case same && (loaded || !f.Refers):
		e = g.entryWith(f.Own(v), key, data, g.core.Store.MaxEntry())
	case loaded:
		if v, err = f.Decode(data); err != nil {
			return nil, err
		}
		e = g.entryWith(v, key, data, g.core.Store.MaxEntry())
	}
	if e == nil {
		e = &store.Entry{Key: key, Data: data}
		g.core.Allow(e)
	}
	g.core.SetTTL(e, ttl)
	return e, nil
}

// hit returns what this member has of a key in memory; ok is false if it has to be asked for. The
// key may alias a buffer.
func (g *values[V]) hit(key string) (v V, ok bool, err error) {
	c := g.core
	e := c.Hit(ring.Hash(c.Seed, key), key, c.Clock.Now())
	if e == nil {
		return v, false, nil
	}
	v, err = g.present(e)
	return v, !errs.IsUnreadable(err), err
}

// present returns what an entry says, which was found in memory.
func (g *values[V]) present(e *store.Entry) (v V, err error) {
	if e.Negative {
		g.core.Stats.NegativeHits.Add(1)
		return v, errs.ErrNotFound
	}
	return g.value(e)
}

// unkept stands for the decoded value of an entry that has no room for it: each hit
// decodes.
var unkept = unsafe.Pointer(new(byte))

// entryWith makes an entry with the decoded value right behind it, for the sake of
// hits. If that would take more than limit, or nobody can tell how much, and the bytes
// alone do not, it has these only.
func (g *values[V]) entryWith(v V, key string, data []byte, limit int64) *store.Entry {
	both := &struct {
		entry store.Entry
		v     V
	}{v: v}
	e := &both.entry
	e.Key, e.Data = key, data
	alone := e.Size()
	n, ok := g.format.Measure(&both.v)
	e.Extra = store.ExtraOf(n + store.Allocated(int64(unsafe.Sizeof(*both))) - store.Allocated(int64(unsafe.Sizeof(*e))))
	if alone <= limit && (!ok || e.Size() > limit) {
		return &store.Entry{Key: key, Data: data, Decoded: unkept}
	}
	e.Decoded, e.Inline = unsafe.Pointer(&both.v), true
	return e
}

// newEntry makes the entry of a value that is Set, nil if it only ends what was there
// before. A ttl of 0 is the group's own.
func (g *values[V]) newEntry(key string, v V, ttl time.Duration) (*store.Entry, error) {
	if ttl < 0 {
		return nil, negative(ttl)
	}
	if ttl == 0 {
		var err error
		if ttl, err = g.ttl(key, v); err != nil {
			return nil, fmt.Errorf("cachemesh: TTLFunc: %w", err)
		}
	}
	e, err := g.entry(strings.Clone(key), v, ttl, false)
	if err != nil {
		return nil, err
	}
	if len(e.Data) > g.limit {
		return nil, fmt.Errorf("%w: it has %d bytes, Options.MaxValueBytes is %d", errs.ErrTooLarge, len(e.Data), g.limit)
	}
	switch {
	case ttl > 0:
	case g.core.Origin.Write == nil:
		return nil, nil
	default:
		e.Expires = max(g.core.Clock.Now(), 1)
	}
	return e, nil
}

func negative(ttl time.Duration) error {
	return fmt.Errorf("%w: %v is negative", errs.ErrInvalidTTL, ttl)
}

// ttl returns the TTL that the options give a value; if it is not positive the
// value is not kept. The error is a panic of TTLFunc.
func (g *values[V]) ttl(key string, v V) (ttl time.Duration, err error) {
	if g.opts.TTLFunc == nil {
		return cmp.Or(g.opts.TTL, Forever), nil
	}
	defer guard.Rescue(&err)
	return g.opts.TTLFunc(key, v), nil
}

// copyEntry makes the entry of a hot copy, decoded at once: it is read again.
func (g *values[V]) copyEntry(key string, data []byte) *store.Entry {
	v, err := g.format.Decode(data)
	if err != nil {
		return &store.Entry{Key: key, Data: data, Decoded: unkept} // whoever reads it hears why
	}
	return g.entryWith(v, key, data, g.core.Hot.MaxCopy())
}

// value returns the value of an entry, decoding it at most a few times.
// An entry that the group cannot read is an *errs.UnreadableError.
func (g *values[V]) value(e *store.Entry) (v V, err error) {
	if e.Foreign {
		return v, errs.ErrForeign
	}
	if g.format.Kind != codec.EncodedKind {
		return g.format.Decode(e.Data)
	}
	p := atomic.LoadPointer(&e.Decoded)
	if p != nil && p != unkept {
		return *(*V)(p), nil
	}
	if v, err = g.format.Decode(e.Data); err == nil && p == nil {
		g.remember(e, v)
	}
	return v, err
}

// remember keeps the decoded value beside the bytes, if it takes no more than the entry
// was charged for it. Else the entry gives way to one that is charged more. An entry
// never leaves its group, so whoever reads it back knows its type.
func (g *values[V]) remember(e *store.Entry, v V) {
	n, ok := g.format.Measure(&v)
	if ok && n+store.Allocated(int64(unsafe.Sizeof(v))) <= e.Extra.Bytes() {
		atomic.StorePointer(&e.Decoded, unsafe.Pointer(&v))
		return
	}
	with := g.entryWith(v, e.Key, e.Data, g.core.Store.MaxEntry())
	if !with.Inline {
		atomic.StorePointer(&e.Decoded, unkept)
		return
	}
	with.Expires, with.Care, with.Version = e.Expires, e.Care, e.Version
	g.core.Exchange(e, with)
}

// reload answers a Get of a key whose value cannot be read: by a load, if there is a
// loader. e is the entry that it was in, nil if a peer sent it.
func (g *values[V]) reload(ctx context.Context, hash uint64, key string, e *store.Entry, cause error) (v V, err error) {
	c := g.core
	c.NoteUnreadable(key, cause)
	if c.Origin.Load == nil {
		return v, errs.ErrNotFound
	}
	if c.Discard(hash, key, e) {
		o := c.GetSlow(ctx, hash, key, c.Clock.Now())
		if v, _, err = g.answer(&o); !errs.IsUnreadable(err) {
			return v, err
		}
	}
	o := route.OutcomeOf(c.LoadUnstored(ctx, hash, key, false))
	v, _, err = g.answer(&o)
	return v, err
}

// answer returns the value of an outcome, if it has one that can be read, and what failed.
func (g *values[V]) answer(o *route.Outcome) (v V, found bool, err error) {
	if found = o.E != nil || o.Found; found {
		if v, err = g.decoded(o); err != nil {
			return v, false, err
		}
	}
	return v, found, o.Err
}

// A teller tells the user of stale values.
type teller struct {
	onStale func(ctx context.Context, key string, stale *StaleError) // GroupOptions.OnStale
	log     *slog.Logger
}

// told returns the error that goes with a value: nil for one that is stale, of which OnStale is told.
func (t *teller) told(ctx context.Context, err error) error {
	if t.onStale == nil {
		return err
	}
	stale, ok := err.(*errs.StaleError)
	if !ok {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			t.log.Error("OnStale panicked", append(guard.LogArgs(guard.Recovered(p)), "group", stale.Group, "key", stale.Key)...)
		}
	}()
	t.onStale(ctx, stale.Key, stale)
	return nil
}

// decoded returns the value of an outcome that has one.
func (g *values[V]) decoded(o *route.Outcome) (V, error) {
	if o.E != nil {
		return g.value(o.E)
	}
	return g.format.Decode(o.Data)
}

// sum makes the entry of a value and what is added to it; old is nil for 0.
func (g *values[V]) sum(key string, old *store.Entry, delta int64) (*store.Entry, error) {
	var v V
	if old != nil {
		var err error
		if v, err = g.value(old); err != nil {
			return nil, err
		}
	}
	v, err := g.format.Sum(v, delta)
	if err != nil {
		return nil, err
	}
	return g.entry(key, v, 0, false)
}
