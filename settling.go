package cachemesh

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/settle"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// newSettler returns what settles the node's views.
func (n *Node) newSettler(writes view.Writer) *settle.Settler {
	return settle.New(settle.Options{
		Self:  quorum.Member{ID: n.id, Name: n.name, Addr: n.addr, Life: 1},
		Right: n.opts.Right, Lease: n.opts.Lease, MaxStale: n.opts.MaxStale,
		JoinTimeout: n.opts.JoinTimeout, ForgetAfter: n.opts.ForgetAfter,
		Alone: len(n.opts.BootstrapNodes) == 0, MayFound: n.opts.MayFound,
		Dial: n.opts.Network.Dial, Life: n.life, Clock: &n.clock, State: n.state, Write: writes, Log: n.log,
	}, holdings{n}, members{n})
}

// holdings is a node as its settler sees what it holds.
type holdings struct{ *Node }

func (n holdings) DropLost(v *view.View, others bool) {
	for _, c := range n.groups.all() {
		c.DropLost(v)
		c.Hot.Retain(func(hash uint64, owner string) bool { return v.OwnerID(hash) == owner })
		if others {
			c.Hot.InvalidateAll() // others go on without this node, or soon do
		}
	}
	n.handOver()
}

func (n holdings) DropBefore(era uint32) {
	for _, c := range n.groups.all() {
		c.DropBefore(era)
		c.Hot.InvalidateAll()
	}
}

func (n holdings) Moving() bool { return n.duties.Handing.Load() > 0 }

func (n holdings) ValuesMove() bool {
	took := n.tookOver.Load()
	return n.Moving() || took != 0 && n.clock.Now()-took < int64(handOverTime)
}

func (n holdings) PayOwed() { n.payOwed() }

// members is a node as its settler calls others through it.
type members struct{ *Node }

func (n members) Peer(addr string) wire.Peer { return n.ways.Peers.Peer(addr) }

func (n members) CallMember(ctx context.Context, o *view.Owner, req *httppool.Request, resp *httppool.Response) error {
	return n.ways.CallMember(ctx, o, req, resp)
}

func (n members) Renew(addr, id string) { n.pool.Renew(addr, id) }

func (n members) Forget(departed []string, members []quorum.Member) {
	n.ways.ForgetGone(departed, members)
}

// Forget says that a member is gone for good, by its name: what waits for it does
// so no more. It is an operator's word against the mesh's own caution: if the
// member lives on and still acts, beyond a cut, two sides of it may both answer
// writes with nil. It reports whether anything waited for a member of that name.
// The others are told.
func (n *Node) Forget(name string) bool { return n.settler.Forget(name) }

// mesh is a group as its part sees the other members.
type mesh struct{ *groupCore }

func (c mesh) Invalidate(ctx context.Context, holder *view.Owner, key string) bool {
	k := wire.NewCall(wire.OpInvalidate, c.Name, key)
	defer k.Free()
	k.Req.Idempotent = true
	err := c.Ways.CallMember(ctx, holder, &k.Req, &k.Resp) // only the holder's own word counts
	return err == nil && (k.Resp.Status == wire.StatusOK || k.Resp.Status == wire.StatusUnknownGroup)
}

func (c mesh) Forget(ctx context.Context, hash uint64, key string) error {
	return c.heir().Change(ctx, hash, key, owner.Change{CacheOnly: true})
}

// payOwed makes the mesh forget what is owed, in the background. What cannot be
// paid now is owed still.
func (n *Node) payOwed() {
	for _, c := range slices.Concat(n.groups.all(), n.retiredGroups()) {
		keys, all := c.Owed.Take()
		if len(keys) == 0 && !all {
			continue
		}
		paid := n.life.Go(func() { c.pay(keys, all) })
		if !paid {
			return // closing
		}
	}
}

func (c *groupCore) pay(keys map[string]struct{}, all bool) {
	ctx, cancel := context.WithTimeout(c.Life.Context(), c.Ways.CallTimeout)
	defer cancel()
	if all {
		if c.Clear(ctx) != nil {
			c.debtor().OweAll()
		}
		return
	}
	var g errgroup.Group
	g.SetLimit(route.BatchCalls)
	for key := range keys {
		g.Go(func() error {
			err := c.Change(ctx, ring.Hash(c.Seed, key), key, owner.Change{CacheOnly: true})
			if err != nil && !errors.Is(err, errs.ErrGroupClosed) { // then it is this member's, and holds nothing
				c.debtor().Owe(key)
			}
			return nil
		})
	}
	g.Wait()
}
