package comingfrom

import (
	"context"
	"net/http"

	"github.com/golang/groupcache"
)

// A groupcacheUsers is the service on golang/groupcache.
type groupcacheUsers struct{ group *groupcache.Group }

func openGroupcache(self string, peers []string, db *table) (*groupcacheUsers, http.Handler) {
	pool := groupcache.NewHTTPPoolOpts(self, nil)
	pool.Set(peers...) // URLs: you find the peers, and say it again when they change
	group := groupcache.NewGroup("users", 64<<20, groupcache.GetterFunc(func(ctx context.Context, id string, dest groupcache.Sink) error {
		row, err := db.read(ctx, id)
		if err != nil {
			return err
		}
		return dest.SetString(row)
	}))
	return &groupcacheUsers{group}, pool // the pool is to be served at /_groupcache/
}

func (u *groupcacheUsers) get(ctx context.Context, id string) (row string, err error) {
	err = u.group.Get(ctx, id, groupcache.StringSink(&row))
	return row, err
}
