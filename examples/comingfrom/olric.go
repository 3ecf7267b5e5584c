package comingfrom

import (
	"context"
	"errors"
	"time"

	"github.com/olric-data/olric"
	"golang.org/x/sync/singleflight"
)

// An olricUsers is the service on Olric, embedded.
type olricUsers struct {
	db     *table
	dmap   olric.DMap
	flight singleflight.Group
}

func openOlric(member *olric.Olric, db *table) (*olricUsers, error) {
	dmap, err := member.NewEmbeddedClient().NewDMap("users")
	return &olricUsers{db: db, dmap: dmap}, err
}

func (u *olricUsers) get(ctx context.Context, id string) (string, error) {
	found, err := u.dmap.Get(ctx, id)
	if err == nil {
		return found.String()
	}
	if !errors.Is(err, olric.ErrKeyNotFound) {
		return "", err
	}
	row, err, _ := u.flight.Do(id, func() (any, error) { // one load in this process
		row, err := u.db.read(ctx, id)
		if err != nil {
			return "", err
		}
		return row, u.dmap.Put(ctx, id, row, olric.EX(time.Minute))
	})
	return row.(string), err
}

func (u *olricUsers) change(ctx context.Context, id, row string) error {
	if err := u.db.update(ctx, id, row); err != nil {
		return err
	}
	_, err := u.dmap.Delete(ctx, id)
	return err
}
