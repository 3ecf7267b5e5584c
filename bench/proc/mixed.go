package proc

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// draws is the length of the sequence of items that the mixed work repeats.
const draws = 1 << 18

// skew is the exponent of the popularity of items.
const skew = 0.99

// A service is what reads through the cache, and every so often writes to the origin and
// invalidates. An answer that is older than a write that had completed in this process
// before the read began counts as stale.
type service struct {
	p        *process
	versions []atomic.Uint64 // of the items, the newest that was written here
	deleter  systems.Deleter // nil: the cache cannot forget
}

func newService(p *process, j Job) *service {
	deleter, _ := p.system.(systems.Deleter)
	return &service{p, make([]atomic.Uint64, j.Keys), deleter}
}

func (s *service) get(ctx context.Context, c *work.Caller, it *work.Item) error {
	want := s.versions[it.ID].Load()
	h, err := s.p.system.Get(ctx, it)
	if err == nil && h.Version < want {
		c.Stale()
	}
	return err
}

// write changes an item at the origin and makes the cache forget it, if it can.
func (s *service) write(ctx context.Context, it *work.Item) error {
	version, err := s.p.origin.Write(ctx, it)
	if err == nil && s.deleter != nil {
		err = s.deleter.Delete(ctx, it)
	}
	if err != nil {
		return err
	}
	newest := &s.versions[it.ID]
	for old := newest.Load(); old < version && !newest.CompareAndSwap(old, version); old = newest.Load() {
	}
	return nil
}

// writes reports whether the n-th operation is a write, counted from one.
func (j *Job) writes(n int) bool { return n*j.Writes/1000 != (n-1)*j.Writes/1000 }

// mixed is a service with as many callers at a time as there are.
func mixed(ctx context.Context, p *process, j Job) (*work.Result, error) {
	sequence, s := p.sequence(j), newService(p, j)
	var clock [maxCallers]struct {
		n int
		_ [56]byte // keeps neighbours out of one cache line
	}
	op := func(ctx context.Context, c *work.Caller, it *work.Item) error {
		n := &clock[c.Index].n
		if *n++; j.writes(*n) {
			return s.write(ctx, it)
		}
		return s.get(ctx, c, it)
	}
	return p.run(ctx, work.Drive{Callers: j.Callers, Duration: j.Duration, Items: sequence, Timed: true}, op), nil
}

// paced is a service that is called at a steady rate. It goes on in the sequence where the
// run before it ended: what that one has read is in the caches, and must not be all that this one
// asks for.
func paced(ctx context.Context, p *process, j Job) (*work.Result, error) {
	if j.Rate <= 0 || j.Callers <= 0 {
		return nil, fmt.Errorf("paced work of %d operations a second by %d callers", j.Rate, j.Callers)
	}
	j.Seed = 0 // one sequence for the warm-up and what counts
	sequence, s := p.sequence(j), newService(p, j)
	var ops atomic.Int64
	op := func(ctx context.Context, c *work.Caller, it *work.Item) error {
		if j.writes(int(ops.Add(1))) {
			c.Wrote()
			return s.write(ctx, it)
		}
		return s.get(ctx, c, it)
	}
	pace := work.Pace{Rate: j.Rate, Callers: j.Callers, Duration: j.Duration, Items: sequence, First: p.drawn.next}
	r, err := p.counted(func() (*work.Result, error) { return work.RunPaced(ctx, pace, op) })
	if err == nil {
		p.drawn.next = (p.drawn.next + int(r.Ops+r.Missed)) % len(sequence)
	}
	return r, err
}

// sequence returns the items of the mixed work in the order of a job. Drawing them
// takes processor time that is not the cache's, so the run that counts finds them
// drawn by the one that warms up.
func (p *process) sequence(j Job) []*work.Item {
	order := sequenceKey{j.Size, j.Keys, j.Seed}
	if p.drawn.key != order {
		p.drawn.key = order
		p.drawn.next = 0
		p.drawn.items = work.ZipfItems(work.Items(j.Size, j.Keys), draws, skew, j.Seed+uint64(p.spec.Index))
	}
	return p.drawn.items
}

// maxCallers bounds the callers of the mixed work in one process.
const maxCallers = 1024
