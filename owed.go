package cachemesh

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// owed are the keys of a group that were written on this side of a cut only, or
// whose origin was written without the mesh being told. The majority may serve
// what they had before, so it is made to forget them on return.
type owed struct {
	mu   sync.Mutex          // guards the fields below
	keys map[string]struct{} // at most maxOwed
	all  bool                // there were more: the whole group is forgotten

	bytes int64 // that keys takes; at most a third of groupCore.bookRoom
}

const (
	maxOwed  = 4096
	owedCost = 64 // what a key takes besides itself
)

// held is what the keys take, in bytes.
func (o *owed) held() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}

// owe notes a key. Values without a loader are not owed: they are merged.
func (c *part) owe(key string) {
	if c.origin.Load == nil {
		return
	}
	o := &c.owed
	o.mu.Lock()
	defer o.mu.Unlock()
	cost := owedCost + store.Allocated(int64(len(key)))
	_, noted := o.keys[key]
	switch {
	case o.all || noted:
	case len(o.keys) >= maxOwed || o.bytes+cost > c.bookRoom.Load()/3:
		o.all, o.keys, o.bytes = true, nil, 0
	default:
		if o.keys == nil {
			o.keys = make(map[string]struct{})
		}
		o.keys[strings.Clone(key)] = struct{}{}
		o.bytes += cost
	}
}

// any reports whether something is owed.
func (o *owed) any() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all || len(o.keys) > 0
}

// oweAll notes that all keys of the group are to be forgotten.
func (c *part) oweAll() {
	if c.origin.Load == nil {
		return
	}
	c.owed.mu.Lock()
	defer c.owed.mu.Unlock()
	c.owed.all, c.owed.keys, c.owed.bytes = true, nil, 0
}

// take returns what is owed, and forgets it.
func (o *owed) take() (keys map[string]struct{}, all bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	keys, all = o.keys, o.all
	o.keys, o.all, o.bytes = nil, false, 0
	return keys, all
}

// payOwed makes the mesh forget what is owed, in the background. What cannot be
// paid now is owed still.
func (n *Node) payOwed() {
	for _, c := range slices.Concat(n.groups.all(), n.retiredGroups()) {
		keys, all := c.owed.take()
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
	ctx, cancel := context.WithTimeout(c.life.Context(), c.node.opts.CallTimeout)
	defer cancel()
	if all {
		if c.clear(ctx) != nil {
			c.debtor().oweAll()
		}
		return
	}
	var g errgroup.Group
	g.SetLimit(batchCalls)
	for key := range keys {
		g.Go(func() error {
			err := c.change(ctx, ring.Hash(c.seed, key), key, change{cacheOnly: true})
			if err != nil && !errors.Is(err, errs.ErrGroupClosed) { // then it is this member's, and holds nothing
				c.debtor().owe(key)
			}
			return nil
		})
	}
	g.Wait()
}
