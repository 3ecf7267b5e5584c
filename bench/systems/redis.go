package systems

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// rueidisTable is Redis through redis/rueidis.
type rueidisTable struct{ client rueidis.Client }

type rueidisSystem struct {
	lookAside
	client rueidis.Client
}

// newRueidis makes a client, with or without a cache of its own.
func newRueidis(s Spec, bare bool) (rueidis.Client, error) {
	return rueidis.NewClient(rueidis.ClientOption{
		InitAddress:  s.Addrs,
		DisableCache: bare,
		DialCtxFn: func(ctx context.Context, addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return s.Delay.DialContext(ctx, "tcp", addr)
		},
	})
}

func openRueidis(_ context.Context, s Spec, o work.Origin) (System, error) {
	client, err := newRueidis(s, true)
	if err != nil {
		return nil, err
	}
	return &rueidisSystem{lookAside{table: rueidisTable{client}, origin: o, index: s.Index}, client}, nil
}

func (t rueidisTable) get(ctx context.Context, key string) ([]byte, bool, error) {
	b, err := t.client.Do(ctx, t.client.B().Get().Key(key).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, false, nil
	}
	return b, true, err
}

func (t rueidisTable) set(ctx context.Context, key string, value []byte) error {
	return t.client.Do(ctx, t.client.B().Set().Key(key).Value(rueidis.BinaryString(value)).Build()).Error()
}

func (t rueidisTable) del(ctx context.Context, key string) error {
	return t.client.Do(ctx, t.client.B().Del().Key(key).Build()).Error()
}

func (t rueidisTable) close() error {
	t.client.Close()
	return nil
}

// GetMany is one MGET.
func (r *rueidisSystem) GetMany(ctx context.Context, items []*work.Item) error {
	values, err := r.client.Do(ctx, r.client.B().Mget().Key(keysOf(items)...).Build()).ToArray()
	if err != nil {
		return err
	}
	for i, it := range items {
		b, err := values[i].AsBytes()
		if err != nil {
			return err
		}
		if _, err := it.Check(b); err != nil {
			return err
		}
	}
	return nil
}

// goRedisTable is Redis through redis/go-redis.
type goRedisTable struct{ client *goredis.Client }

type goRedisSystem struct {
	lookAside
	client *goredis.Client
}

func goRedisOptions(s Spec) *goredis.Options {
	return &goredis.Options{Addr: s.Addrs[0], Dialer: s.Delay.DialContext}
}

func openGoRedis(_ context.Context, s Spec, o work.Origin) (System, error) {
	client := goredis.NewClient(goRedisOptions(s))
	return &goRedisSystem{lookAside{table: goRedisTable{client}, origin: o, index: s.Index}, client}, nil
}

func (t goRedisTable) get(ctx context.Context, key string) ([]byte, bool, error) {
	b, err := t.client.Get(ctx, key).Bytes()
	if errors.Is(err, goredis.Nil) {
		return nil, false, nil
	}
	return b, true, err
}

func (t goRedisTable) set(ctx context.Context, key string, value []byte) error {
	return t.client.Set(ctx, key, value, 0).Err()
}

func (t goRedisTable) del(ctx context.Context, key string) error {
	return t.client.Del(ctx, key).Err()
}

func (t goRedisTable) close() error { return t.client.Close() }

// GetMany is one MGET.
func (r *goRedisSystem) GetMany(ctx context.Context, items []*work.Item) error {
	values, err := r.client.MGet(ctx, keysOf(items)...).Result()
	if err != nil {
		return err
	}
	for i, it := range items {
		s, _ := values[i].(string)
		if _, err := it.Check([]byte(s)); err != nil {
			return err
		}
	}
	return nil
}
