package comingfrom

import (
	"context"
	"errors"
	"time"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/maypok86/otter/v2"
	"github.com/viccon/sturdyc"
)

// An otterUsers is the service on otter, in one process.
type otterUsers struct {
	db    *table
	cache *otter.Cache[string, string]
}

func openOtter(db *table) *otterUsers {
	return &otterUsers{db, otter.Must(&otter.Options[string, string]{
		MaximumSize:      100_000,
		ExpiryCalculator: otter.ExpiryWriting[string, string](time.Minute),
	})}
}

func (u *otterUsers) get(ctx context.Context, id string) (string, error) {
	return u.cache.Get(ctx, id, otter.LoaderFunc[string, string](u.db.read))
}

func (u *otterUsers) change(ctx context.Context, id, row string) error {
	if err := u.db.update(ctx, id, row); err != nil {
		return err
	}
	u.cache.Invalidate(id)
	return nil
}

// A sturdycUsers is the service on sturdyc, in one process.
type sturdycUsers struct {
	db    *table
	cache *sturdyc.Client[string]
}

func openSturdyc(db *table) *sturdycUsers {
	return &sturdycUsers{db, sturdyc.New[string](100_000, 64, time.Minute, 10,
		sturdyc.WithEarlyRefreshes(30*time.Second, 40*time.Second, 50*time.Second, time.Second),
	)}
}

func (u *sturdycUsers) get(ctx context.Context, id string) (string, error) {
	return u.cache.GetOrFetch(ctx, id, func(ctx context.Context) (string, error) {
		row, err := u.db.read(ctx, id)
		if errors.Is(err, errNoRow) {
			err = sturdyc.ErrNotFound
		}
		return row, err
	})
}

func (u *sturdycUsers) change(ctx context.Context, id, row string) error {
	if err := u.db.update(ctx, id, row); err != nil {
		return err
	}
	u.cache.Delete(id)
	return nil
}

// A ristrettoUsers is the service on ristretto, in one process.
type ristrettoUsers struct {
	db    *table
	cache *ristretto.Cache[string, string]
}

func openRistretto(db *table) (*ristrettoUsers, error) {
	cache, err := ristretto.NewCache(&ristretto.Config[string, string]{NumCounters: 1_000_000, MaxCost: 64 << 20, BufferItems: 64})
	return &ristrettoUsers{db, cache}, err
}

func (u *ristrettoUsers) get(ctx context.Context, id string) (string, error) {
	if row, ok := u.cache.Get(id); ok {
		return row, nil
	}
	row, err := u.db.read(ctx, id) // each caller that misses loads
	if err != nil {
		return "", err
	}
	u.cache.SetWithTTL(id, row, int64(len(id)+len(row)), time.Minute)
	return row, nil
}

func (u *ristrettoUsers) change(ctx context.Context, id, row string) error {
	if err := u.db.update(ctx, id, row); err != nil {
		return err
	}
	u.cache.Del(id)
	return nil
}
