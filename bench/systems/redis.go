package systems

import (
	"context"
	"errors"

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

func openRueidis(_ context.Context, s Spec, o work.Origin) (System, error) {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: s.Addrs, DisableCache: true})
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

func openGoRedis(_ context.Context, s Spec, o work.Origin) (System, error) {
	client := goredis.NewClient(&goredis.Options{Addr: s.Addrs[0]})
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
