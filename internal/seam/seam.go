// Package seam is where this module's own tests reach into a node: a network
// that also implements [Network] wraps the calls to peers and switches
// safeguards off. Nobody outside the module can implement it.
package seam

import (
	"context"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// A Caller calls one peer; see httppool.Peer.Call.
type Caller interface {
	Call(ctx context.Context, req *httppool.Request, resp *httppool.Response) error
}

// A Network is looked for behind a node's Options.Network.
type Network interface {
	// WrapPeer returns what calls to the peer at addr shall go through.
	WrapPeer(addr string, next Caller) Caller

	// Faults returns the safeguards to leave out.
	Faults() faultinject.Faults
}
