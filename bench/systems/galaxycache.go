package systems

import (
	"context"
	"net"

	"github.com/vimeo/galaxycache"
	galaxygrpc "github.com/vimeo/galaxycache/grpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// galaxy is a member of galaxycache. It has neither Set nor Delete.
type galaxy struct {
	universe *galaxycache.Universe
	galaxy   *galaxycache.Galaxy
	server   *grpc.Server
	peers    []string
}

// shared is a codec that keeps the cache's own bytes, which are only read here.
type shared []byte

func (c *shared) MarshalBinary() ([]byte, error) { return *c, nil }

func (c *shared) UnmarshalBinary(b []byte) error {
	*c = b
	return nil
}

func openGalaxy(_ context.Context, s Spec, o work.Origin) (System, error) {
	listener, err := net.Listen("tcp", s.self())
	if err != nil {
		return nil, err
	}
	protocol := galaxygrpc.NewGRPCFetchProtocol(grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			return s.Delay.DialContext(ctx, "tcp", addr)
		}))
	g := &galaxy{universe: galaxycache.NewUniverse(protocol, s.self()), peers: s.Addrs}
	load := func(ctx context.Context, key string, dest galaxycache.Codec) error {
		b, err := o.Load(ctx, key)
		if err != nil {
			return err
		}
		return dest.UnmarshalBinary(b)
	}
	g.galaxy = g.universe.NewGalaxy(groupName, s.CacheBytes, galaxycache.GetterFunc(load))
	g.server = grpc.NewServer()
	galaxygrpc.RegisterGRPCServer(g.universe, g.server)
	go g.server.Serve(listener) // ends when the server stops
	return g, nil
}

func (g *galaxy) Get(ctx context.Context, it *work.Item) (work.Header, error) {
	var b shared
	if err := g.galaxy.Get(ctx, it.Key, &b); err != nil {
		return work.Header{}, err
	}
	return it.Check(b)
}

// Ready dials the peers, all of which serve by now: a connection that was refused
// would be tried again after a second only, and keys be loaded here meanwhile.
func (g *galaxy) Ready(context.Context) (bool, error) {
	return true, g.universe.Set(g.peers...)
}

func (g *galaxy) PeerCalls() uint64 { return uint64(g.galaxy.Stats.PeerLoads.Get()) }

func (g *galaxy) Close() error {
	g.server.Stop()
	return g.universe.Shutdown()
}
