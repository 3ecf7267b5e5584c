package proc

import (
	"context"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// draws is the length of the sequence of items that the mixed work repeats.
const draws = 1 << 18

// skew is the exponent of the popularity of items.
const skew = 0.99

// mixed reads through the cache, and every so often writes to the origin and
// invalidates, as a service does. An answer that is older than a write that had
// completed in this process before the read began counts as stale.
func mixed(ctx context.Context, p *process, j Job) (*work.Result, error) {
	sequence := p.sequence(j)
	versions := make([]atomic.Uint64, j.Keys)
	deleter, _ := p.system.(systems.Deleter)
	var clock [maxCallers]struct {
		n int
		_ [56]byte // keeps neighbours out of one cache line
	}
	op := func(ctx context.Context, c *work.Caller, it *work.Item) error {
		n := &clock[c.Index].n
		if *n++; *n*j.Writes/1000 != (*n-1)*j.Writes/1000 {
			return p.write(ctx, deleter, &versions[it.ID], it)
		}
		want := versions[it.ID].Load()
		h, err := p.system.Get(ctx, it)
		if err == nil && h.Version < want {
			c.Stale()
		}
		return err
	}
	return p.run(ctx, work.Drive{Callers: j.Callers, Duration: j.Duration, Items: sequence, Timed: true}, op), nil
}

// sequence returns the items of the mixed work in the order of a job. Drawing them
// takes processor time that is not the cache's, so the run that counts finds them
// drawn by the one that warms up.
func (p *process) sequence(j Job) []*work.Item {
	order := sequenceKey{j.Size, j.Keys, j.Seed}
	if p.drawn.key != order {
		p.drawn.key = order
		p.drawn.items = work.ZipfItems(work.Items(j.Size, j.Keys), draws, skew, j.Seed+uint64(p.spec.Index))
	}
	return p.drawn.items
}

type sequenceKey struct {
	size, keys int
	seed       uint64
}

// maxCallers bounds the callers of the mixed work in one process.
const maxCallers = 1024

// write changes an item at the origin and makes the cache forget it, if it can.
func (p *process) write(ctx context.Context, d systems.Deleter, newest *atomic.Uint64, it *work.Item) error {
	version, err := p.origin.Write(ctx, it)
	if err == nil && d != nil {
		err = d.Delete(ctx, it)
	}
	if err != nil {
		return err
	}
	for old := newest.Load(); old < version && !newest.CompareAndSwap(old, version); old = newest.Load() {
	}
	return nil
}
