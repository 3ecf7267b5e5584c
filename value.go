package cachemesh

import (
	"errors"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// entry makes an entry that owns its bytes. What it hands out is what other members
// get: what the bytes decode to. loaded says that v came from a loader: nobody changes
// it any more, and hits of it are decoded here, once.
func (g *Group[V]) entry(key string, v V, ttl time.Duration, loaded bool) (*store.Entry, error) {
	f := &g.format
	data, err := f.encode(v)
	if err != nil {
		return nil, err
	}
	var e *store.Entry
	switch same := f.givesBack(data); {
	case f.kind != encodedKind:
	case same && (loaded || !f.refers):
		e = entryWith(v)
	case loaded:
		if v, err = f.decode(data); err != nil {
			return nil, err
		}
		e = entryWith(v)
	}
	if e == nil {
		e = new(store.Entry)
	}
	e.Key, e.Data = key, data
	g.core.setTTL(e, ttl)
	if f.kind == encodedKind {
		g.core.copyExtra(e)
	}
	return e, nil
}

// entryWith makes an entry with the decoded value right behind it, for the sake of
// hits.
func entryWith[V any](v V) *store.Entry {
	both := &struct {
		entry store.Entry
		v     V
	}{v: v}
	both.entry.Decoded, both.entry.Inline = unsafe.Pointer(&both.v), true
	return &both.entry
}

// value returns the value of an entry, decoding it at most a few times.
// An entry that the group cannot read is an *unreadableError.
func (g *Group[V]) value(e *store.Entry) (v V, err error) {
	if e.Foreign {
		return v, errForeign
	}
	if g.format.kind != encodedKind {
		return g.format.decode(e.Data)
	}
	if p := (*V)(atomic.LoadPointer(&e.Decoded)); p != nil {
		return *p, nil
	}
	if v, err = g.format.decode(e.Data); err == nil {
		remember(e, v)
	}
	return v, err
}

// remember keeps the decoded value beside the bytes. An entry never leaves its
// group, so whoever reads it back knows its type.
func remember[V any](e *store.Entry, v V) { atomic.StorePointer(&e.Decoded, unsafe.Pointer(&v)) }

// answer returns the value of an outcome, if it has one, and what failed.
func (g *Group[V]) answer(o *outcome) (v V, err error) {
	if o.e != nil || o.found {
		v, err = g.decoded(o)
	}
	if err == nil {
		err = o.err
	}
	return v, err
}

// take returns the value of an outcome, if it has one, and what failed.
func (g *Group[V]) take(o *outcome) (v V, found bool, err error) {
	if o.e == nil && !o.found {
		if !errors.Is(o.err, errs.ErrNotFound) {
			err = o.err
		}
		return v, false, err
	}
	v, err = g.decoded(o)
	if err != nil {
		return v, false, err
	}
	return v, true, o.err
}

// decoded returns the value of an outcome that has one.
func (g *Group[V]) decoded(o *outcome) (V, error) {
	if o.e != nil {
		return g.value(o.e)
	}
	return g.format.decode(o.data)
}
