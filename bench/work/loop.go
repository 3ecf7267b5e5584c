package work

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A Caller is one of the goroutines that drive a system.
type Caller struct {
	Index int
	next  int // position in the items

	ops, errors, stale uint64
	first              error
	hist               Histogram

	gets, late uint64 // of paced operations
	write      bool   // whether the one under way is no Get

	_ [64]byte // keeps neighbours out of one cache line
}

// Stale counts an answer that was older than it may be.
func (c *Caller) Stale() { c.stale++ }

// Wrote keeps the paced operation that is under way out of the Gets and their latencies.
func (c *Caller) Wrote() { c.write = true }

// An Op does one operation on an item.
type Op func(ctx context.Context, c *Caller, it *Item) error

// A Drive says how to drive a system.
type Drive struct {
	Callers  int
	Duration time.Duration
	Timed    bool    // record the latency of every operation
	Items    []*Item // visited in this order, each caller from a place of its own
	PerOp    uint64  // operations that one call of the Op counts for; default 1
}

// Result is what one process measured in one run.
type Result struct {
	Ops, Errors uint64
	Stale       uint64 // answers older than a write that had completed in the same process
	FirstError  string `json:",omitempty"`
	Elapsed     time.Duration
	Latency     Histogram
	Mallocs     uint64        // heap allocations of the whole process meanwhile
	CPU         time.Duration // of all processes of the system; added by whoever runs them
	OriginCPU   time.Duration // the part of CPU that the process of the origin took, if it has one
	Loads       uint64        // calls of this process's origin
	PeerCalls   uint64        // calls to peers, where the system counts them
	HotHits     uint64        // Gets answered from copies of what others own, where they are counted
	Near        uint64        // Gets answered in the memory of the process that asked
	NearKnown   bool          // whether the system counts these
	Gets        uint64        // of paced operations, those that are no writes
	Late        uint64        // paced operations that began too late, and are timed from when they were due
	Missed      uint64        // paced operations that nobody began
	Bytes       int64         // memory taken, for those runs that measure it
	Heap        int64         // of which in the Go heap
}

// checkEvery is how many untimed operations are done between looks at the clock.
const checkEvery = 64

// Run drives op from several callers for a fixed time.
func Run(ctx context.Context, d Drive, op Op) *Result {
	var stop atomic.Bool
	callers := make([]Caller, d.Callers)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	timer := time.AfterFunc(d.Duration, func() { stop.Store(true) })
	defer timer.Stop()
	var wg sync.WaitGroup
	for i := range callers {
		c := &callers[i]
		c.Index = i
		c.next = i * len(d.Items) / len(callers)
		wg.Go(func() {
			if d.Timed {
				c.timed(ctx, &stop, d.Items, op)
			} else {
				c.untimed(ctx, &stop, d.Items, op)
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	r := &Result{Elapsed: elapsed, Mallocs: after.Mallocs - before.Mallocs}
	for i := range callers {
		r.add(&callers[i], max(d.PerOp, 1))
	}
	r.Latency.Pack()
	return r
}

func (r *Result) add(c *Caller, perOp uint64) {
	r.Ops += c.ops * perOp
	r.Errors += c.errors
	r.Stale += c.stale
	r.Gets += c.gets
	r.Late += c.late
	r.Latency.Add(&c.hist)
	if c.first != nil && r.FirstError == "" {
		r.FirstError = c.first.Error()
	}
}

// Merge adds what another process measured at the same time.
func (r *Result) Merge(o *Result) {
	r.Ops += o.Ops
	r.Errors += o.Errors
	r.Stale += o.Stale
	r.Mallocs += o.Mallocs
	r.Loads += o.Loads
	r.PeerCalls += o.PeerCalls
	r.HotHits += o.HotHits
	r.Near += o.Near
	r.NearKnown = r.NearKnown || o.NearKnown
	r.Gets += o.Gets
	r.Late += o.Late
	r.Missed += o.Missed
	r.Bytes += o.Bytes
	r.Heap += o.Heap
	r.Elapsed = max(r.Elapsed, o.Elapsed)
	r.Latency.Add(&o.Latency)
	if r.FirstError == "" {
		r.FirstError = o.FirstError
	}
}

func (c *Caller) timed(ctx context.Context, stop *atomic.Bool, items []*Item, op Op) {
	for !stop.Load() && ctx.Err() == nil {
		it := c.item(items)
		start := time.Now()
		err := op(ctx, c, it)
		c.hist.Record(time.Since(start))
		c.count(err)
	}
}

func (c *Caller) untimed(ctx context.Context, stop *atomic.Bool, items []*Item, op Op) {
	for !stop.Load() && ctx.Err() == nil {
		for range checkEvery {
			c.count(op(ctx, c, c.item(items)))
		}
	}
}

func (c *Caller) item(items []*Item) *Item {
	it := items[c.next]
	if c.next++; c.next == len(items) {
		c.next = 0
	}
	return it
}

func (c *Caller) count(err error) {
	c.ops++
	if err != nil {
		c.errors++
		if c.first == nil {
			c.first = err
		}
	}
}

// Each calls f for every item from a number of goroutines and returns the first
// error.
func Each(items []*Item, callers int, f func(*Item) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range min(callers, len(items)) {
		wg.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					return
				}
				if err := f(items[i]); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
