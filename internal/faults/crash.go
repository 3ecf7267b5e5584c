//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// watchFor is how long loads are counted after a crash.
var watchFor = flag.Duration("watch", 12*time.Second, "how long it is watched what is loaded again after kill -9 of one of 3, or of 10")

// killOneOf kills a member under reads at all others. No read may fail, and what the
// others own must not be loaded again.
func killOneOf(ctx context.Context, m *mesh) error {
	const victim, keys = 1, 2000
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprint("row ", i)
		m.origin.Write(names[i], 1)
		if _, err := m.member(i%len(m.members)).Get(ctx, names[i]); err != nil {
			return err
		}
	}
	held, err := m.held(ctx, victim)
	if err != nil {
		return err
	}
	r := m.read(ctx, names, m.except(victim))
	defer r.stop()
	before := m.loads.soFar()
	began := time.Now()
	m.kill(victim)
	deleted, longest := m.deleteAll(ctx, held[:min(20, len(held))], m.except(victim))
	if err := wait(ctx, *watchFor-time.Since(began)); err != nil {
		return err
	}
	r.stop()
	m.report(r.failed.Load() == 0 && r.reads.Load() > 0, "0 reads fail", "%d of %d reads failed; the longest took %v", r.failed.Load(), r.reads.Load(), ms(time.Duration(r.longest.Load())))
	m.reportAgain(before, held, keys)
	m.report(deleted == 20 && longest < 7*time.Second, "nil within 7 s", "%d of 20 Deletes of the dead member's keys returned nil, the last after %v", deleted, ms(longest))
	return nil
}

// reportAgain reports what was loaded since before: of keys that lost their owner, and
// of others.
func (m *mesh) reportAgain(before map[string]int, lost []string, keys int) {
	since := m.loads.soFar()
	maps.DeleteFunc(since, func(key string, n int) bool { return n == before[key] })
	loads := 0
	for _, key := range lost {
		if n := since[key]; n > 0 {
			loads += n - before[key]
			delete(since, key)
		}
	}
	m.report(len(since) == 0, "0 loaded again", "%d of %d keys whose owner stayed were loaded again in %v", len(since), keys-len(lost), *watchFor)
	m.report(loads <= 50*len(lost), "10 a key and second", "%d loads of the %d keys that the dead member owned", loads, len(lost))
}

// deleteAll deletes each key by a call of its own, all at once. It returns how many
// returned nil, and how long the last one took.
func (m *mesh) deleteAll(ctx context.Context, keys []string, members []int) (done int, longest time.Duration) {
	var mu sync.Mutex // guards the results
	var all sync.WaitGroup
	for i, key := range keys {
		all.Go(func() {
			short, cancel := context.WithTimeout(ctx, 15*time.Second)
			defer cancel()
			began := time.Now()
			err := m.member(members[i%len(members)]).Delete(short, key)
			mu.Lock()
			defer mu.Unlock()
			longest = max(longest, time.Since(began))
			if err == nil {
				done++
			}
		})
	}
	all.Wait()
	return done, longest
}

// A reading is Gets of random keys at some members, until it is stopped.
type reading struct {
	stop                   func() // waits for what is under way
	reads, failed, longest atomic.Int64
}

func (m *mesh) read(ctx context.Context, keys []string, members []int) *reading {
	ctx, cancel := context.WithCancel(ctx)
	r := &reading{}
	start := time.Now()
	var all sync.WaitGroup
	r.stop = func() { cancel(); all.Wait() }
	for _, i := range members {
		all.Go(func() {
			for wait(ctx, time.Duration(rand.Int64N(int64(4*time.Millisecond)))) == nil {
				short, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
				began := time.Now()
				_, err := m.member(i).Get(short, keys[rand.IntN(len(keys))])
				done()
				r.reads.Add(1)
				r.longest.Store(max(r.longest.Load(), int64(time.Since(began)))) // nearly exact
				if err != nil && r.failed.Add(1) <= 10 {
					fmt.Fprintf(os.Stderr, "get at member %d, begun %v after the start: %v\n", i, ms(began.Sub(start)), err)
				}
			}
		})
	}
	return r
}
