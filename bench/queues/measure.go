package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A cell is one measurement: callers that get 128 B, if any, beside others that move more.
type cell struct {
	name    string
	callers int
	large   int  // bytes that each of the sixteen others moves at a time; 0: there are none
	set     bool // they write instead of reading
	idle    time.Duration
}

const besides = 16

var cells = []cell{
	{name: "get-1", callers: 1},
	{name: "get-64", callers: 64},
	{name: "get-512", callers: 512},
	{name: "get-65536", callers: 65536, idle: 15 * time.Second},
	{name: "large-get-1MiB", large: 1 << 20},
	{name: "large-get-16MiB", large: 16 << 20},
	{name: "large-set-1MiB", large: 1 << 20, set: true},
	{name: "beside-get-1MiB", callers: 1, large: 1 << 20},
	{name: "beside-get-16MiB", callers: 1, large: 16 << 20},
	{name: "beside-set-1MiB", callers: 1, large: 1 << 20, set: true},
	{name: "beside-set-16MiB", callers: 1, large: 16 << 20, set: true},
}

// measureOne starts two members, measures, and prints the result as JSON.
func measureOne(name string, duration time.Duration, profile string) error {
	c := cells[slices.IndexFunc(cells, func(c cell) bool { return c.name == name })]
	m, stop, err := startPair()
	if err != nil {
		return err
	}
	defer stop()
	keys, err := m.theirs(m.small, 4096)
	if err != nil {
		return err
	}
	var many []string
	if c.large > 0 {
		if many, err = m.theirs(m.large[c.large], besides); err != nil {
			return err
		}
	}
	goroutines(c.callers)
	before := heap()
	if profile != "" {
		f, err := os.Create(filepath.Join(profile, name+".cpu.prof"))
		if err != nil {
			return err
		}
		defer f.Close()
		pprof.StartCPUProfile(f)
	}
	r := drive(m, c, keys, many, duration)
	pprof.StopCPUProfile()
	time.Sleep(c.idle)
	r.Heap = heap() - before
	return json.NewEncoder(os.Stdout).Encode(r)
}

// goroutines makes the runtime have n goroutines to reuse, whose descriptors it never
// frees and which are nobody's queue.
func goroutines(n int) {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range n {
		wg.Go(func() { <-stop })
	}
	close(stop)
	wg.Wait()
}

// heap returns the megabytes that live.
func heap() float64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return float64(s.HeapAlloc) / 1e6
}

// drive has all callers call for a while.
func drive(m *pair, c cell, keys, many []string, duration time.Duration) result {
	var stop atomic.Bool
	var wg, others sync.WaitGroup
	var errs, moved atomic.Int64
	var first atomic.Pointer[error]
	failed := func(err error) {
		if errs.Add(1); first.CompareAndSwap(nil, &err) {
			fmt.Fprintln(os.Stderr, "queues:", c.name+":", err)
		}
	}
	for i := range min(len(many), besides) {
		others.Go(func() {
			for !stop.Load() {
				if err := m.move(c, many[i]); err != nil {
					failed(err)
				}
				moved.Add(int64(c.large))
			}
		})
	}
	if len(many) > 0 {
		time.Sleep(duration / 4)
	}
	took := make([][]time.Duration, c.callers)
	start := time.Now()
	already := moved.Load()
	for i := range took {
		wg.Go(func() {
			for at := i; !stop.Load(); at++ {
				began := time.Now()
				if _, err := m.small.Get(context.Background(), keys[at%len(keys)]); err != nil {
					failed(err)
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	time.Sleep(duration)
	more := moved.Load() - already
	elapsed := time.Since(start)
	stop.Store(true)
	wg.Wait()
	drained := time.Since(start)
	others.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	r := result{
		Rate: float64(len(all)) / drained.Seconds(), Errors: int(errs.Load()), Beside: float64(more) / 1e6 / elapsed.Seconds(),
	}
	if n := len(all); n > 0 {
		r.P50, r.P99, r.Max = all[n/2], all[n*99/100], all[n-1]
	}
	return r
}

// move gets or sets one large value.
func (m *pair) move(c cell, key string) error {
	g := m.large[c.large]
	if c.set {
		return g.Set(context.Background(), key, value(c.large), 0)
	}
	_, err := g.Get(context.Background(), key)
	return err
}

// value returns n bytes, the same ones each time.
var value = func() func(n int) []byte {
	b := make([]byte, 16<<20)
	return func(n int) []byte { return b[:n] }
}()

type bytesGroup = *cachemesh.Group[[]byte]
