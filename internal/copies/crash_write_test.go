package copies_test

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// postmark says to whom a node sends copies, and has a live member refuse the next one, as if that had another
// view by now.
type postmark struct {
	mu     sync.Mutex
	to     string // of the last one
	dead   string // that does not answer
	refuse bool
}

func (p *postmark) edit(node int) kit.Edit {
	return func(i int, o *cachemesh.Options) {
		if i != node {
			return
		}
		o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
			if _, n := binary.Uvarint(req.Value); req.Op == wire.OpCopies && len(req.Value) > n && p.refuses(addr) {
				other := *req
				other.Value = append(binary.AppendUvarint(nil, 1), req.Value[n:]...) // an epoch that nobody has
				return next.Call(ctx, &other, resp)
			}
			return next.Call(ctx, req, resp)
		}}
	}
}

func (p *postmark) refuses(addr string) (is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = addr
	if is = p.refuse && addr != p.dead; is {
		p.refuse = false
	}
	return is
}

func (p *postmark) look(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// TestWriteBesideACrash: the member that should have a copy has crashed, and refuses connections; the next one has
// a view without it already, which the owner has not. Nobody has what was written, nobody gets it, and the owner
// knows that: the write is tried again until the owner has the view, too.
func TestWriteBesideACrash(t *testing.T) {
	for _, remove := range []bool{false, true} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			var post postmark
			m := kit.New(t, 4, post.edit(0))
			groups := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 2})
			time.Sleep(time.Second) // all have told the others that they have the group
			key, crashed := "", m.Nodes[1].Addr()
			for _, k := range m.KeysOf("g", 0, 50) {
				kit.Must(t, groups[0].Set(ctx, k, "old", 0))
				post.look(func() {
					if post.to == crashed {
						key = k
					}
				})
				if key != "" {
					break
				}
			}
			m.Kill(1)
			time.Sleep(10 * time.Millisecond) // the owner has noticed that the connection ended
			post.look(func() { post.dead, post.refuse = crashed, true })
			var err error
			if remove {
				err = groups[0].Delete(ctx, key)
			} else {
				err = groups[0].Set(ctx, key, "new", 0)
			}
			kit.Must(t, err)
			post.look(func() {
				if post.refuse {
					t.Error("no copy was refused")
				}
			})
			if remove {
				kit.WantNotFound(t, groups[3], key)
			} else {
				kit.MustGet(t, groups[3], key, "new")
			}
		})
	}
}
