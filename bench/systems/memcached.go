package systems

import (
	"context"
	"errors"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// memcachedTable is memcached through bradfitz/gomemcache.
type memcachedTable struct{ client *memcache.Client }

type memcachedSystem struct {
	lookAside
	client *memcache.Client
}

func openMemcached(_ context.Context, s Spec, o work.Origin) (System, error) {
	client := memcache.New(s.Addrs...)
	client.MaxIdleConns = idleConns
	client.DialContext = s.Delay.DialContext
	client.Timeout = 5 * time.Second
	return &memcachedSystem{lookAside{table: memcachedTable{client}, origin: o, index: s.Index}, client}, nil
}

func (t memcachedTable) get(_ context.Context, key string) ([]byte, bool, error) {
	item, err := t.client.Get(key)
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return item.Value, true, nil
}

func (t memcachedTable) set(_ context.Context, key string, value []byte) error {
	return t.client.Set(&memcache.Item{Key: key, Value: value})
}

func (t memcachedTable) del(_ context.Context, key string) error {
	if err := t.client.Delete(key); !errors.Is(err, memcache.ErrCacheMiss) {
		return err
	}
	return nil
}

func (t memcachedTable) close() error { return t.client.Close() }

// GetMany is one call with many keys.
func (m *memcachedSystem) GetMany(_ context.Context, items []*work.Item) error {
	values, err := m.client.GetMulti(keysOf(items))
	if err != nil {
		return err
	}
	for _, it := range items {
		var b []byte
		if v := values[it.Key]; v != nil {
			b = v.Value
		}
		if _, err := it.Check(b); err != nil {
			return err
		}
	}
	return nil
}
