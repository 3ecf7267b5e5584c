package systems

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/maypok86/otter/v2"
	"github.com/viccon/sturdyc"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// Caches within one process, for the local hit.

type ristrettoSystem struct {
	cache  *ristretto.Cache[string, []byte]
	origin work.Origin
}

func openRistretto(_ context.Context, s Spec, o work.Origin) (System, error) {
	cache, err := ristretto.NewCache(&ristretto.Config[string, []byte]{
		NumCounters: 10 * int64(s.Entries), MaxCost: s.CacheBytes, BufferItems: 64,
	})
	return &ristrettoSystem{cache, o}, err
}

func (r *ristrettoSystem) Get(ctx context.Context, it *work.Item) (work.Header, error) {
	b, found := r.cache.Get(it.Key)
	if !found {
		var err error
		if b, err = r.origin.Load(ctx, it.Key); err != nil {
			return work.Header{}, err
		}
		r.cache.Set(it.Key, b, int64(len(it.Key)+len(b)))
		r.cache.Wait()
	}
	return it.Check(b)
}

func (r *ristrettoSystem) Close() error {
	r.cache.Close()
	return nil
}

type otterSystem struct {
	cache *otter.Cache[string, []byte]
	load  otter.LoaderFunc[string, []byte]
}

func openOtter(_ context.Context, s Spec, o work.Origin) (System, error) {
	cache, err := otter.New(&otter.Options[string, []byte]{
		MaximumWeight: uint64(s.CacheBytes),
		Weigher:       func(key string, b []byte) uint32 { return uint32(len(key) + len(b)) },
	})
	return &otterSystem{cache, o.Load}, err
}

func (c *otterSystem) Get(ctx context.Context, it *work.Item) (work.Header, error) {
	b, err := c.cache.Get(ctx, it.Key, c.load)
	if err != nil {
		return work.Header{}, err
	}
	return it.Check(b)
}

func (c *otterSystem) Close() error {
	c.cache.StopAllGoroutines()
	return nil
}

type sturdycSystem struct {
	cache  *sturdyc.Client[[]byte]
	origin work.Origin
}

func openSturdyc(_ context.Context, s Spec, o work.Origin) (System, error) {
	cache := sturdyc.New[[]byte](2*s.Entries, 64, time.Hour, 10,
		sturdyc.WithLog(slog.New(slog.NewTextHandler(io.Discard, nil))))
	return &sturdycSystem{cache, o}, nil
}

func (c *sturdycSystem) Get(ctx context.Context, it *work.Item) (work.Header, error) {
	b, found := c.cache.Get(it.Key)
	if !found {
		var err error
		b, err = c.cache.GetOrFetch(ctx, it.Key, func(ctx context.Context) ([]byte, error) {
			return c.origin.Load(ctx, it.Key)
		})
		if err != nil {
			return work.Header{}, err
		}
	}
	return it.Check(b)
}

func (c *sturdycSystem) Close() error { return nil }
