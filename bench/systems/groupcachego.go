package systems

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"
	"github.com/groupcache/groupcache-go/v3/transport/peer"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// mailgun is a member of groupcache-go.
type mailgun struct {
	daemon *groupcache.Daemon
	group  groupcache.Group
	index  int
}

func openGroupcacheGo(ctx context.Context, s Spec, o work.Origin) (System, error) {
	daemon, err := groupcache.ListenAndServe(ctx, s.self(), groupcache.Options{
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Transport: transport.NewHttpTransport(transport.HttpTransportOptions{
			Client: &http.Client{Transport: peerTransport(s.Delay)},
		}),
	})
	if err != nil {
		return nil, err
	}
	peers := make([]peer.Info, len(s.Addrs))
	for i, addr := range s.Addrs {
		peers[i] = peer.Info{Address: addr, IsSelf: i == s.Index}
	}
	if err := daemon.GetInstance().SetPeers(ctx, peers); err != nil {
		return nil, err
	}
	load := func(ctx context.Context, key string, dest transport.Sink) error {
		b, err := o.Load(ctx, key)
		if err != nil {
			return err
		}
		return dest.SetBytes(b, time.Time{})
	}
	group, err := daemon.GetInstance().NewGroup(groupName, s.CacheBytes, groupcache.GetterFunc(load))
	if err != nil {
		return nil, err
	}
	return &mailgun{daemon: daemon, group: group, index: s.Index}, nil
}

func (g *mailgun) Get(ctx context.Context, it *work.Item) (work.Header, error) {
	var view transport.ByteView
	if err := g.group.Get(ctx, it.Key, transport.ByteViewSink(&view)); err != nil {
		return work.Header{}, err
	}
	return work.CheckView(it, view)
}

func (g *mailgun) Set(ctx context.Context, it *work.Item, version uint64) error {
	return g.group.Set(ctx, it.Key, it.Value(g.index, version), time.Time{}, false)
}

func (g *mailgun) Delete(ctx context.Context, it *work.Item) error {
	return g.group.Remove(ctx, it.Key)
}

func (g *mailgun) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return g.daemon.Shutdown(ctx)
}
