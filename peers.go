package cachemesh

import (
	"context"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// poolTransport is the real transport.
type poolTransport struct {
	pool *httppool.Pool
	wrap func(addr string, next seam.Caller) seam.Caller // nil: none
}

func (t poolTransport) Peer(addr string) wire.Peer {
	if t.wrap != nil {
		return t.wrap(addr, t.pool.Peer(addr))
	}
	return t.pool.Peer(addr)
}

func (t poolTransport) Forget(addr string) { t.pool.Forget(addr) }

func (t poolTransport) Ping(ctx context.Context, addr string) error {
	return t.pool.Peer(addr).Ping(ctx)
}
