package kit

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Tapped network passes every call to a peer through Tap, which is called
// concurrently.
type Tapped struct {
	cachemesh.Network
	Tap func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error
}

// Faults leaves out no safeguard.
func (n Tapped) Faults() faultinject.Faults { return faultinject.Faults{} }

// WrapPeer is of seam.Network.
func (n Tapped) WrapPeer(addr string, next seam.Caller) seam.Caller {
	return caller(func(ctx context.Context, req *httppool.Request, resp *httppool.Response) error {
		return n.Tap(ctx, addr, req, resp, next)
	})
}

type caller func(ctx context.Context, req *httppool.Request, resp *httppool.Response) error

func (f caller) Call(ctx context.Context, req *httppool.Request, resp *httppool.Response) error {
	return f(ctx, req, resp)
}

// SlowInvalidations delays every invalidation.
func SlowInvalidations(d time.Duration) Edit {
	return func(_ int, o *cachemesh.Options) {
		o.Network = Tapped{o.Network, func(ctx context.Context, _ string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
			if req.Op == wire.OpInvalidate {
				time.Sleep(d)
			}
			return next.Call(ctx, req, resp)
		}}
	}
}

// Faulty is a tapped network that leaves out safeguards.
type Faulty struct {
	Tapped
	Without faultinject.Faults
}

// Faults returns the safeguards to leave out.
func (n Faulty) Faults() faultinject.Faults { return n.Without }
