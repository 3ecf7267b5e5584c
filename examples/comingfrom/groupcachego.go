package comingfrom

import (
	"context"
	"time"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
)

// A mailgunUsers is the service on groupcache-go 3.
type mailgunUsers struct {
	db     *table
	group  groupcache.Group
	daemon *groupcache.Daemon
}

func openMailgun(ctx context.Context, self string, peers []string, db *table) (*mailgunUsers, error) {
	daemon, err := groupcache.ListenAndServe(ctx, self, groupcache.Options{})
	if err != nil {
		return nil, err
	}
	var infos []peer.Info
	for _, addr := range peers {
		infos = append(infos, peer.Info{Address: addr, IsSelf: addr == self})
	}
	if err := daemon.SetPeers(ctx, infos); err != nil { // and again when they change
		return nil, err
	}
	group, err := daemon.NewGroup("users", 64<<20, groupcache.GetterFunc(func(ctx context.Context, id string, dest transport.Sink) error {
		row, err := db.read(ctx, id)
		if err != nil {
			return err
		}
		return dest.SetString(row, time.Now().Add(time.Minute))
	}))
	return &mailgunUsers{db, group, daemon}, err
}

func (u *mailgunUsers) get(ctx context.Context, id string) (row string, err error) {
	err = u.group.Get(ctx, id, transport.StringSink(&row))
	return row, err
}

func (u *mailgunUsers) change(ctx context.Context, id, row string) error {
	if err := u.db.update(ctx, id, row); err != nil {
		return err
	}
	return u.group.Remove(ctx, id)
}
