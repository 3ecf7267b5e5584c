package systems

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// Redis through clients that keep what they have read until the server tells them that it
// has changed.

// keep is how long a client may keep a value that has not changed: longer than any run.
const keep = time.Hour

// rueidisCachedTable reads through the cache of redis/rueidis.
type rueidisCachedTable struct {
	rueidisTable
	hits striped // found in the client's memory
}

type rueidisCachedSystem struct {
	lookAside
	cached *rueidisCachedTable
}

func openRueidisCached(_ context.Context, s Spec, o work.Origin) (System, error) {
	client, err := newRueidis(s, false)
	if err != nil {
		return nil, err
	}
	t := &rueidisCachedTable{rueidisTable: rueidisTable{client}}
	return &rueidisCachedSystem{lookAside{table: t, origin: o, index: s.Index}, t}, nil
}

func (t *rueidisCachedTable) get(ctx context.Context, key string) ([]byte, bool, error) {
	r := t.client.DoCache(ctx, t.client.B().Get().Key(key).Cache(), keep)
	b, err := r.AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, false, nil
	}
	if r.IsCacheHit() {
		t.hits.add(key)
	}
	return b, true, err
}

// NearHits returns how many Gets the client answered itself.
func (r *rueidisCachedSystem) NearHits() uint64 { return r.cached.hits.sum() }

// goRedisCachedSystem reads through the cache of redis/go-redis.
type goRedisCachedSystem struct {
	lookAside
	client *goredis.Client
}

func openGoRedisCached(_ context.Context, s Spec, o work.Origin) (System, error) {
	opts := goRedisOptions(s)
	opts.Protocol = 3
	opts.ClientSideCacheConfig = &goredis.ClientSideCacheConfig{MaxMemoryBytes: s.CacheBytes}
	client := goredis.NewClient(opts)
	return &goRedisCachedSystem{lookAside{table: goRedisTable{client}, origin: o, index: s.Index}, client}, nil
}

// NearHits returns how many Gets the client answered itself, those included that it
// answered with there being no such key, which cannot be told apart.
func (g *goRedisCachedSystem) NearHits() uint64 { return g.client.CSCStats().Hits }
