package systems

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/singleflight"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// A table is a remote map, as a cache server offers it.
type table interface {
	get(ctx context.Context, key string) (value []byte, found bool, err error)
	set(ctx context.Context, key string, value []byte) error
	del(ctx context.Context, key string) error
	close() error
}

// lookAside makes a read-through cache of a table, the way applications do: a
// miss is loaded once per process and stored.
type lookAside struct {
	table
	origin work.Origin
	index  int
	flight singleflight.Group
	near   func(*work.Item) bool // whether this process holds an item that was found; nil: none
	counts striped               // of what it held
}

func (l *lookAside) Get(ctx context.Context, it *work.Item) (work.Header, error) {
	b, found, err := l.table.get(ctx, it.Key)
	if err == nil && !found {
		b, err = l.load(ctx, it.Key)
	} else if l.near != nil && l.near(it) {
		l.counts.add(it.Key)
	}
	if err != nil {
		return work.Header{}, err
	}
	return it.Check(b)
}

func (l *lookAside) load(ctx context.Context, key string) ([]byte, error) {
	v, err, _ := l.flight.Do(key, func() (any, error) {
		b, err := l.origin.Load(ctx, key)
		if err != nil {
			return nil, err
		}
		return b, l.table.set(ctx, key, b)
	})
	if err != nil {
		return nil, err
	}
	return v.([]byte), nil
}

func (l *lookAside) Set(ctx context.Context, it *work.Item, version uint64) error {
	return l.table.set(ctx, it.Key, it.Value(l.index, version))
}

func (l *lookAside) Delete(ctx context.Context, it *work.Item) error {
	return l.table.del(ctx, it.Key)
}

// NearHits returns how many Gets were answered by what this process held.
func (l *lookAside) NearHits() uint64 { return l.counts.sum() }

// Here reports false: a server holds everything.
func (l *lookAside) Here(*work.Item) bool { return false }

func (l *lookAside) Close() error { return l.table.close() }

// striped counts without having processors fetch one counter from each other.
type striped [16]struct {
	n atomic.Uint64
	_ [56]byte
}

// add counts one for a key, whose last byte is spread well enough.
func (s *striped) add(key string) { s[key[len(key)-1]%16].n.Add(1) }

func (s *striped) sum() (n uint64) {
	for i := range s {
		n += s[i].n.Load()
	}
	return n
}

func keysOf(items []*work.Item) []string {
	keys := make([]string, len(items))
	for i, it := range items {
		keys[i] = it.Key
	}
	return keys
}
