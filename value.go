package cachemesh

import (
	"errors"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// entry makes an entry that owns its bytes. What it hands out is what other members
// get: what the bytes decode to. loaded says that v came from a loader: nobody changes
// it any more, and hits of it are decoded here, once.
func (g *Group[V]) entry(key string, v V, ttl time.Duration, loaded bool) (*store.Entry, error) {
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

// unkept stands for the decoded value of an entry that has no room for it: each hit
// decodes.
var unkept = unsafe.Pointer(new(byte))

// entryWith makes an entry with the decoded value right behind it, for the sake of
// hits. If that would take more than limit, or nobody can tell how much, and the bytes
// alone do not, it has these only.
func (g *Group[V]) entryWith(v V, key string, data []byte, limit int64) *store.Entry {
	both := &struct {
		entry store.Entry
		v     V
	}{v: v}
	e := &both.entry
	e.Key, e.Data = key, data
	alone := e.Size()
	n, ok := g.format.Measure(&both.v)
	e.Extra = n + store.Allocated(int64(unsafe.Sizeof(*both))) - store.Allocated(int64(unsafe.Sizeof(*e)))
	if alone <= limit && (!ok || e.Size() > limit) {
		return &store.Entry{Key: key, Data: data, Decoded: unkept}
	}
	e.Decoded, e.Inline = unsafe.Pointer(&both.v), true
	return e
}

// leasedEntry makes the entry of a hot copy, decoded at once: it is read often.
func (g *Group[V]) leasedEntry(key string, data []byte) *store.Entry {
	v, err := g.format.Decode(data)
	if err != nil {
		return &store.Entry{Key: key, Data: data, Decoded: unkept} // whoever reads it hears why
	}
	return g.entryWith(v, key, data, g.core.Hot.MaxCopy())
}

// value returns the value of an entry, decoding it at most a few times.
// An entry that the group cannot read is an *errs.UnreadableError.
func (g *Group[V]) value(e *store.Entry) (v V, err error) {
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
func (g *Group[V]) remember(e *store.Entry, v V) {
	n, ok := g.format.Measure(&v)
	if ok && n+store.Allocated(int64(unsafe.Sizeof(v))) <= e.Extra {
		atomic.StorePointer(&e.Decoded, unsafe.Pointer(&v))
		return
	}
	with := g.entryWith(v, e.Key, e.Data, g.core.Store.MaxEntry())
	if !with.Inline {
		atomic.StorePointer(&e.Decoded, unkept)
		return
	}
	with.Expires, with.Care, with.Version, with.Primary = e.Expires, e.Care, e.Version, e.Primary
	g.core.Exchange(e, with)
}

// answer returns the value of an outcome, if it has one, and what failed.
func (g *Group[V]) answer(o *route.Outcome) (v V, err error) {
	if o.E != nil || o.Found {
		v, err = g.decoded(o)
	}
	if err == nil {
		err = o.Err
	}
	return v, err
}

// take returns the value of an outcome, if it has one, and what failed.
func (g *Group[V]) take(o *route.Outcome) (v V, found bool, err error) {
	if o.E == nil && !o.Found {
		if !errors.Is(o.Err, errs.ErrNotFound) {
			err = o.Err
		}
		return v, false, err
	}
	v, err = g.decoded(o)
	if err != nil {
		return v, false, err
	}
	return v, true, o.Err
}

// decoded returns the value of an outcome that has one.
func (g *Group[V]) decoded(o *route.Outcome) (V, error) {
	if o.E != nil {
		return g.value(o.E)
	}
	return g.format.Decode(o.Data)
}
