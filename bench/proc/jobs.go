package proc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// A job does one kind of work with the process's system.
type job func(ctx context.Context, p *process, j Job) (*work.Result, error)

// jobs lists the kinds of work.
var jobs = map[string]job{
	"hit":      hits,     // Gets of what is in the cache, too short to be timed one by one
	"get":      gets,     // Gets of what is in the cache
	"getmany":  getMany,  // Gets of many items with one call
	"set":      sets,     // Sets
	"set-hot":  setsHot,  // Sets of what is being read meanwhile
	"loads":    loads,    // none: what the origin has counted so far
	"delete":   deletes,  // Deletes of what is in the cache
	"storm":    storm,    // Gets of one item that is not in the cache
	"fill":     fill,     // reading this process's share of the items once
	"mixed":    mixed,    // Gets and writes of items of different popularity
	"paced":    paced,    // the same at a steady rate
	"memory":   memory,   // what the process takes for a number of entries
	"resident": resident, // the resident set of this process
}

// errCannot means that a system does not offer an operation.
var errCannot = errors.New("the system has no such operation")

// run drives the process's system after a garbage collection and adds what the
// process itself counts.
func (p *process) run(ctx context.Context, d work.Drive, op work.Op) *work.Result {
	r, _ := p.counted(func() (*work.Result, error) { return work.Run(ctx, d, op), nil })
	return r
}

// counted does a run after a garbage collection, and adds to its result what the
// process itself counted meanwhile.
func (p *process) counted(run func() (*work.Result, error)) (*work.Result, error) {
	runtime.GC()
	before := p.counts()
	r, err := run()
	if err != nil {
		return nil, err
	}
	now := p.counts()
	r.Loads, r.PeerCalls, r.HotHits = now.loads-before.loads, now.calls-before.calls, now.hot-before.hot
	r.Near, r.NearKnown = now.near-before.near, now.nearKnown
	return r, nil
}

type counts struct {
	loads, calls, hot, near uint64
	nearKnown               bool
}

// counts returns what has been counted so far.
func (p *process) counts() (n counts) {
	if c, ok := p.system.(systems.PeerCounter); ok {
		n.calls = c.PeerCalls()
	}
	if c, ok := p.system.(systems.HotCounter); ok {
		n.hot = c.HotHits()
	}
	if c, ok := p.system.(systems.NearCounter); ok {
		n.near, n.nearKnown = c.NearHits(), true
	}
	n.loads = p.origin.Loads()
	return n
}

func (p *process) getOp(ctx context.Context, _ *work.Caller, it *work.Item) error {
	_, err := p.system.Get(ctx, it)
	return err
}

func hits(ctx context.Context, p *process, j Job) (*work.Result, error) {
	items, err := p.itemsFor(ctx, j)
	if err != nil {
		return nil, err
	}
	return p.run(ctx, work.Drive{Callers: j.Callers, Duration: j.Duration, Items: items}, p.getOp), nil
}

func gets(ctx context.Context, p *process, j Job) (*work.Result, error) {
	items, err := p.itemsFor(ctx, j)
	if err != nil {
		return nil, err
	}
	return p.run(ctx, work.Drive{Callers: j.Callers, Duration: j.Duration, Items: items, Timed: true}, p.getOp), nil
}

func getMany(ctx context.Context, p *process, j Job) (*work.Result, error) {
	batcher, ok := p.system.(systems.Batcher)
	if !ok {
		return nil, errCannot
	}
	items, err := p.itemsFor(ctx, j)
	if err != nil {
		return nil, err
	}
	d := work.Drive{Callers: j.Callers, Duration: j.Duration, Items: items, Timed: true, PerOp: uint64(j.Batch)}
	return p.run(ctx, d, func(ctx context.Context, _ *work.Caller, it *work.Item) error {
		first := rand.IntN(len(items) - j.Batch + 1)
		return batcher.GetMany(ctx, items[first:first+j.Batch])
	}), nil
}

func sets(ctx context.Context, p *process, j Job) (*work.Result, error) {
	setter, ok := p.system.(systems.Setter)
	if !ok {
		return nil, errCannot
	}
	items, err := p.itemsFor(ctx, j)
	if err != nil {
		return nil, err
	}
	return p.run(ctx, work.Drive{Callers: j.Callers, Duration: j.Duration, Items: items, Timed: true},
		func(ctx context.Context, _ *work.Caller, it *work.Item) error { return setter.Set(ctx, it, 1) }), nil
}

// hotReaders is how many callers read what setsHot writes.
const hotReaders = 16

// setsHot measures Sets while other callers read the same items. The readers'
// work is not counted, but the processor time that they take is.
func setsHot(ctx context.Context, p *process, j Job) (*work.Result, error) {
	items, err := p.itemsFor(ctx, j)
	if err != nil {
		return nil, err
	}
	var readers sync.WaitGroup
	var stop atomic.Bool
	for range hotReaders {
		readers.Go(func() {
			for i := 0; !stop.Load(); i++ {
				p.system.Get(ctx, items[i%len(items)]) // an error here shows in the other works
			}
		})
	}
	r, err := sets(ctx, p, j)
	stop.Store(true)
	readers.Wait()
	return r, err
}

// deleteShare is the part of the items, as 1/deleteShare, that is deleted in
// one turn, so that an item is read seldom and does not become hot.
const deleteShare = 4

// deletes fills and deletes in turns until the deleting alone took the time that
// was asked for, or the whole took four times as long.
func deletes(ctx context.Context, p *process, j Job) (*work.Result, error) {
	deleter, ok := p.system.(systems.Deleter)
	if !ok {
		return nil, errCannot
	}
	items, err := p.itemsFor(ctx, j)
	if err != nil {
		return nil, err
	}
	total := &work.Result{}
	runtime.GC()
	size := len(items) / deleteShare
	start := time.Now()
	for turn := 0; total.Elapsed < j.Duration && time.Since(start) < 4*j.Duration; turn++ {
		part := items[turn%deleteShare*size:][:size]
		if err := work.Each(part, fillCallers, func(it *work.Item) error { return p.getOp(ctx, nil, it) }); err != nil {
			return nil, err
		}
		r := deleteAll(ctx, deleter, part, j.Callers)
		elapsed := total.Elapsed + r.Elapsed
		total.Merge(r)
		total.Elapsed = elapsed
	}
	total.Latency.Pack()
	return total, nil
}

func deleteAll(ctx context.Context, deleter systems.Deleter, items []*work.Item, callers int) *work.Result {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	latencies := make([]time.Duration, len(items))
	var failed atomic.Pointer[error]
	var next, errs atomic.Uint64
	start := time.Now()
	work.Each(items, callers, func(it *work.Item) error {
		began := time.Now()
		if err := deleter.Delete(ctx, it); err != nil {
			errs.Add(1)
			failed.CompareAndSwap(nil, &err)
		}
		latencies[next.Add(1)-1] = time.Since(began)
		return nil
	})
	r := &work.Result{Ops: next.Load(), Errors: errs.Load(), Elapsed: time.Since(start)}
	runtime.ReadMemStats(&after)
	r.Mallocs = after.Mallocs - before.Mallocs
	for _, d := range latencies {
		r.Latency.Record(d)
	}
	if err := failed.Load(); err != nil {
		r.FirstError = (*err).Error()
	}
	return r
}

func loads(_ context.Context, p *process, _ Job) (*work.Result, error) {
	return &work.Result{Loads: p.origin.Loads()}, nil
}

// storm lets all callers read one new item at once.
func storm(ctx context.Context, p *process, j Job) (*work.Result, error) {
	// The seed makes the key new in every storm, and the same in every process.
	it := work.NewItem(j.Size, 500_000+int(j.Seed))
	r := &work.Result{}
	start := time.Now()
	var errs atomic.Uint64
	var failed atomic.Pointer[error]
	work.Each(make([]*work.Item, j.Callers), j.Callers, func(*work.Item) error {
		if _, err := p.system.Get(ctx, it); err != nil {
			errs.Add(1)
			failed.CompareAndSwap(nil, &err)
		}
		return nil
	})
	r.Ops, r.Errors, r.Elapsed = uint64(j.Callers), errs.Load(), time.Since(start)
	r.Latency.Record(r.Elapsed)
	r.Latency.Pack()
	if err := failed.Load(); err != nil {
		r.FirstError = fmt.Sprint(*err)
	}
	return r, nil
}

func fill(ctx context.Context, p *process, j Job) (*work.Result, error) {
	var mine []*work.Item
	for i, it := range work.Items(j.Size, j.Keys) {
		if i%j.Parts == j.Part {
			mine = append(mine, it)
		}
	}
	return &work.Result{Ops: uint64(len(mine))}, work.Each(mine, fillCallers, func(it *work.Item) error {
		_, err := p.read(ctx, it)
		return err
	})
}
