package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A watcher reads and writes keys that do not move, while others do, and looks how much
// memory there is.
type watcher struct {
	before, peak uint64 // bytes of heap in use
	longestGet   time.Duration
	longestSet   time.Duration
	ops          int
	err          error
	unsure       bool // a Set may be one that may be applied

	once      sync.Once
	end, done chan struct{}
}

const watchedKeys = 100

// watch uses, at a member, keys that it owns alone and beside another.
func (m *mesh) watch(who, other string) *watcher {
	var keys []string
	var values []int64
	owns := owner(who, other)
	for i := 0; len(keys) < watchedKeys; i++ {
		if owns(key(i)) == who {
			keys, values = append(keys, key(i)), append(values, int64(i))
		}
	}
	runtime.GC()
	w := &watcher{before: heap(), unsure: m.replicas > 1, end: make(chan struct{}), done: make(chan struct{})}
	x := m.members[who]
	go func() {
		defer close(w.done)
		look := time.Now()
		for {
			for i, k := range keys {
				w.use(x, k, values[i])
			}
			select {
			case <-w.end:
				return
			case <-time.After(time.Millisecond):
			}
			if time.Since(look) > 100*time.Millisecond {
				look = time.Now()
				w.peak = max(w.peak, heap())
			}
		}
	}()
	return w
}

func (w *watcher) use(x *member, key string, value int64) {
	began := time.Now()
	_, err := x.group.Get(context.Background(), key)
	read := time.Now()
	if err == nil {
		err = x.group.Set(context.Background(), key, value, 0)
	}
	w.longestGet = max(w.longestGet, read.Sub(began))
	w.longestSet = max(w.longestSet, time.Since(read))
	w.ops += 2
	if pe, ok := errors.AsType[*cachemesh.PeerError](err); ok && pe.MaybeApplied && w.unsure {
		return // the view changed while copies were made
	}
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("%s, which did not move: %w", key, err)
	}
}

func (w *watcher) stop() {
	w.once.Do(func() { close(w.end) })
	<-w.done
}

func (w *watcher) String() string {
	return fmt.Sprintf("of %d Gets and Sets of keys that stayed the longest Get took %v, the longest Set %v; heap %d MiB before, %d at most",
		w.ops, round(w.longestGet), round(w.longestSet), w.before>>20, w.peak>>20)
}

func heap() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
