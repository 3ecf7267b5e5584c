package owner_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestRemovalWhileOneJoins: a removal has its copies where they should be, and its owner has another view when it
// hears of that: the trace may be applied. The removal is tried again, and finds what bears the tag wherever it is.
func TestRemovalWhileOneJoins(t *testing.T) {
	for _, remove := range []string{"tag", "prefix"} {
		for _, at := range []int{0, 1} { // the owner, and another member
			t.Run(remove, func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					var on atomic.Bool
					join := func() {}
					m := kit.New(t, 3, func(i int, o *cachemesh.Options) {
						o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, _ string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
							err := next.Call(ctx, req, resp)
							if i == 0 && req.Op == wire.OpCopies && on.CompareAndSwap(true, false) {
								join()
							}
							return err
						}}
					})
					groups := kit.GroupOn[string](m, "g", nil, copiedTags(2))
					time.Sleep(time.Second)
					keys := append(m.KeysOf("g", 0, 3), kit.Numbered("b", 20)...)
					for i, key := range keys {
						tag := "#a#all"
						if i >= 3 {
							tag = "#b#all"
						}
						kit.Must(t, groups[i%3].Set(ctx, key, key+tag, 0))
					}
					fourth := m.NewNode(3)
					defer fourth.Close()
					_, err := cachemesh.NewGroup[string](fourth, "g", nil, copiedTags(2))
					kit.Must(t, err)
					joined := make(chan error, 1)
					join = func() {
						was := seam.Inside(m.Nodes[0]).ViewID()
						go func() { joined <- fourth.Start() }()
						for seam.Inside(m.Nodes[0]).ViewID() == was {
							time.Sleep(time.Millisecond)
						}
					}
					on.Store(true)
					if remove == "tag" {
						err = groups[at].DeleteTag(ctx, "a")
					} else {
						err = groups[at].DeletePrefix(ctx, "key")
					}
					kit.Must(t, err)
					kit.Must(t, <-joined)
					for i, key := range keys {
						if i < 3 {
							kit.WantNotFound(t, groups[2], key)
						} else {
							kit.MustGet(t, groups[2], key, key+"#b#all")
						}
					}
				})
			})
		}
	}
}
