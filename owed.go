package cachemesh

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
)

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
