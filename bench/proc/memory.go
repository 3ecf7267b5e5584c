package proc

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// memory loads items and reports what the process's heap grew by. The resident
// set is taken from outside, of all the system's processes, before and after.
func memory(ctx context.Context, p *process, j Job) (*work.Result, error) {
	before := heap()
	err := work.Each(make([]*work.Item, fillCallers), fillCallers, nextShare(ctx, p, j))
	return &work.Result{Ops: uint64(j.Keys), Heap: heap() - before}, err
}

// nextShare returns a function that loads the next share of the items, without
// keeping them.
func nextShare(ctx context.Context, p *process, j Job) func(*work.Item) error {
	shares := make(chan int, fillCallers)
	for i := range fillCallers {
		shares <- i
	}
	return func(*work.Item) error {
		for id := <-shares; id < j.Keys; id += fillCallers {
			if _, err := p.read(ctx, work.NewItem(j.Size, id)); err != nil {
				return err
			}
		}
		return nil
	}
}

// heap returns the bytes of live objects.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	debug.FreeOSMemory()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// resident gives what is free back to the system, so that the resident set can
// be read from outside.
func resident(context.Context, *process, Job) (*work.Result, error) {
	return &work.Result{Heap: heap()}, nil
}
