package systems

import (
	"context"
	"net"
	"net/http"

	"github.com/golang/groupcache"

	"github.com/praveenduddu/cachemesh/bench/delay"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// original is a member of golang/groupcache. It has neither Set nor Delete.
type original struct {
	group  *groupcache.Group
	server *http.Server
}

// peerTransport keeps enough idle connections: the default of two would make
// every call of many callers dial.
func peerTransport(d delay.Dialer) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = d.DialContext
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = idleConns
	return t
}

func openGroupcache(_ context.Context, s Spec, o work.Origin) (System, error) {
	listener, err := net.Listen("tcp", s.self())
	if err != nil {
		return nil, err
	}
	urls := make([]string, len(s.Addrs))
	for i, addr := range s.Addrs {
		urls[i] = "http://" + addr
	}
	pool := groupcache.NewHTTPPoolOpts(urls[s.Index], nil)
	transport := peerTransport(s.Delay)
	pool.Transport = func(context.Context) http.RoundTripper { return transport }
	pool.Set(urls...)
	load := func(ctx context.Context, key string, dest groupcache.Sink) error {
		b, err := o.Load(ctx, key)
		if err != nil {
			return err
		}
		return dest.SetBytes(b)
	}
	g := &original{group: groupcache.NewGroup(groupName, s.CacheBytes, groupcache.GetterFunc(load))}
	g.server = &http.Server{Handler: pool}
	go g.server.Serve(listener) // ends when the server closes
	return g, nil
}

func (g *original) Get(ctx context.Context, it *work.Item) (work.Header, error) {
	var view groupcache.ByteView
	if err := g.group.Get(ctx, it.Key, groupcache.ByteViewSink(&view)); err != nil {
		return work.Header{}, err
	}
	return work.CheckView(it, view)
}

func (g *original) PeerCalls() uint64 { return uint64(g.group.Stats.PeerLoads.Get()) }

func (g *original) Close() error { return g.server.Close() }
