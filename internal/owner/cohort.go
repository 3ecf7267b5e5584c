package owner

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A cohort is a set of Gets that are answered by one load whose value is not
// stored, because this member does not own the key and cannot ask who does: the
// owner cannot be reached or has no value to give, or the members disagree.
//
// No write voids such a load, so a Get may share it only if it arrived before
// the loader was called. Those who arrive while it runs form the next cohort.
// So at most one such load per key runs here at a time, and nobody waits for
// more than two. Those for an owner that cannot be reached follow each other no
// faster than standInSpacing: nothing that they bring is kept, and the origin
// must not see a load for every Get.
type cohort struct {
	ctx     context.Context // ends when nobody waits
	cancel  context.CancelFunc
	load    LoadFunc      // of whoever came first
	place   origin.Place  // in the queue for a turn to call the loader
	waiters int           // guarded by the shard's lock
	done    chan struct{} // closed once out is set
	out     origin.Loaded
}

// cohorts are the running cohort of a key and the one that gathers behind it.
// Guarded by the shard's lock.
type cohorts struct {
	running *cohort // nil between two loads
	next    *cohort
	spaced  bool           // it is loaded for an owner that cannot be reached
	kept    *origin.Loaded // with faults.KeepStandIn, between two loads: the last
}

const (
	standInSpacing = 100 * time.Millisecond
	maxSpaced      = 64 // keys of a shard that are spaced at once; others are not
)

// A LoadFunc loads a key.
type LoadFunc = func(ctx context.Context, key string) (*store.Entry, error)

func newCohort(ctx context.Context, load LoadFunc) *cohort {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return &cohort{ctx: ctx, cancel: cancel, load: load, done: make(chan struct{})}
}

// leave notes that one who waited has gone. The last one cancels the
// load, and nobody joins a cohort that is cancelled.
func (p *cohorts) leave(mine *cohort) {
	if mine.waiters--; mine.waiters > 0 {
		return
	}
	mine.cancel()
	if p.next == mine {
		p.next = nil
		close(mine.done) // it never runs; Shutdown may wait for it
	}
}

// all calls f for those that run or wait.
func (p *cohorts) all(f func(co *cohort)) {
	for _, co := range []*cohort{p.running, p.next} {
		if co != nil {
			f(co)
		}
	}
}
