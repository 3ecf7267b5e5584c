package comingfrom

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"
)

// A redisUsers is the service beside Redis: look there, else load and store.
type redisUsers struct {
	db     *table
	client *redis.Client
	flight singleflight.Group
}

func (u *redisUsers) get(ctx context.Context, id string) (string, error) {
	row, err := u.client.Get(ctx, "users:"+id).Result()
	if !errors.Is(err, redis.Nil) {
		return row, err
	}
	loaded, err, _ := u.flight.Do(id, func() (any, error) { // one load in this process
		row, err := u.db.read(ctx, id)
		if err != nil {
			return "", err
		}
		return row, u.client.Set(ctx, "users:"+id, row, time.Minute).Err()
	})
	return loaded.(string), err
}

func (u *redisUsers) change(ctx context.Context, id, row string) error {
	if err := u.db.update(ctx, id, row); err != nil {
		return err
	}
	return u.client.Del(ctx, "users:"+id).Err()
}
