package reach

import (
	"context"
	"fmt"
	"testing"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

type nowhere struct{}

func (nowhere) Call(context.Context, *httppool.Request, *httppool.Response) error {
	return httppool.ErrUnreachable
}

// TestHintsAreBounded follows hints of peers to addresses that they invent.
func TestHintsAreBounded(t *testing.T) {
	n := &Ways{Peers: nobody{}}
	for i := range 1000 {
		peer := n.hintedPeer(fmt.Sprint("10.0.0.1:", i))
		if (peer != nil) != (i < maxHints) {
			t.Fatalf("hint %d: followed %t", i, peer != nil)
		}
	}
	if n.hintedPeer("10.0.0.1:0") == nil || len(n.hints) != maxHints {
		t.Errorf("%d hints are kept; one that is known is followed", len(n.hints))
	}
}

type nobody struct{}

func (nobody) Peer(string) wire.Peer              { return nowhere{} }
func (nobody) Forget(string)                      {}
func (nobody) Ping(context.Context, string) error { return httppool.ErrUnreachable }
