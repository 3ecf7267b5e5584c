package route

import (
	"cmp"
	"context"
	"errors"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Warm loads one step's keys. It returns how many are done and how many failed.
func (c *Router) Warm(ctx context.Context, keys []string) [2]int {
	b, err := c.GetMany(ctx, keys, wire.FlagNoValue)
	if err != nil {
		return [2]int{0, len(keys)}
	}
	defer b.Free()
	failed := 0
	for i := range b.Outcomes {
		if err := b.Outcomes[i].Err; err != nil && !errors.Is(err, errs.ErrNotFound) {
			failed++
		}
	}
	return [2]int{len(keys) - failed, failed}
}

// Peek returns what a key has in memory, here or at its owner, without a load.
func (c *Router) Peek(ctx context.Context, key string) Outcome {
	if err := wire.CheckKey(key); err != nil {
		return Outcome{Err: err}
	}
	hash := ring.Hash(c.Seed, key)
	if e := c.peekHere(hash, key); e != nil && !e.Foreign {
		return OutcomeOf(e, nil)
	}
	if err := c.Open(); err != nil {
		return Outcome{Err: err}
	}
	v, err := c.State.Current(ctx)
	if err != nil {
		return Outcome{Err: err}
	}
	o := v.Owner(hash)
	switch {
	case o == nil:
		return Outcome{Err: errs.ErrClosed}
	case o.Peer == nil:
		return Outcome{Err: cmp.Or(c.Open(), errs.ErrNotFound)}
	}
	got, _ := c.GetAt(ctx, o, hash, key, wire.FlagPeek, c.Clock.Now())
	if errs.IsUnsettled(got.Err) {
		got.Err = errs.ErrNotFound
	}
	return got
}
