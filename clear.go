package cachemesh

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/ring"
)

// clearCalls bounds how many peers are told at once.
const clearCalls = 32

// clear clears the group on every member.
func (c *groupCore) clear(ctx context.Context) error {
	ctx, cancel := c.node.bounded(ctx)
	defer cancel()
	v, err := c.node.currentView(ctx)
	if err != nil {
		return err
	}
	var mu sync.Mutex // guards errs
	var errs []error
	var g errgroup.Group
	g.SetLimit(clearCalls)
	for i := range v.owners {
		o := &v.owners[i]
		g.Go(func() error {
			err := c.clearAt(ctx, o)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
			return nil
		})
	}
	g.Wait()
	return errors.Join(errs...)
}

func (c *groupCore) clearAt(ctx context.Context, o *owner) error {
	if o.peer == nil {
		return c.clearHere(ctx)
	}
	k := newCall(opClear, c.name, "")
	defer k.free()
	if err := k.do(ctx, c, o); !errors.Is(err, ErrUnknownGroup) {
		return err
	}
	return nil // a member that does not know the group holds nothing of it
}

// clearHere forgets everything that this member owns of the group, and recalls
// the copies of it. A key whose copies are out is deleted as by Delete. No lease
// is granted meanwhile: it could be for a value that the store is about to lose.
func (c *groupCore) clearHere(ctx context.Context) error {
	leased := c.beginClear()
	defer c.endClear()
	var mu sync.Mutex // guards errs
	var errs []error
	var g errgroup.Group
	g.SetLimit(clearCalls)
	for _, key := range leased {
		g.Go(func() error {
			err := c.write(ctx, ring.Hash(c.seed, key), key, change{})
			if err != nil && !isUnsettled(err) {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
			return nil
		})
	}
	g.Wait()
	c.store.Clear()
	return errors.Join(errs...)
}

// beginClear takes back the tokens of all loads, stops leases, and returns the
// keys with leases out.
func (c *groupCore) beginClear() (leased []string) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.clearing++
		for key, f := range s.flights {
			s.voidLocked(key, f)
		}
		for key := range s.books {
			leased = append(leased, key)
		}
		s.mu.Unlock()
	}
	return leased
}

func (c *groupCore) endClear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.clearing--
		s.mu.Unlock()
	}
}
