//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A copiedWriting writes numbered values, each once, and growing ones.
type copiedWriting struct {
	*mesh
	copies int

	mu   sync.Mutex // guards done and next
	done []int      // numbers that were answered with nil
	next int

	reads, stale, maybe, failed, longestRead, longestWrite atomic.Int64
}

func numbered(n int) string { return fmt.Sprint("n ", n) }

func (w *copiedWriting) acked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.done)
}

// living returns a member that is not down, by chance.
func (w *copiedWriting) living() *process {
	w.mesh.mu.Lock()
	defer w.mesh.mu.Unlock()
	for i := rand.Intn(len(w.members)); ; i++ {
		if at := i % len(w.members); !w.down[at] {
			return w.members[at]
		}
	}
}

// put writes a value through some member, and reports whether the answer was nil.
func (w *copiedWriting) put(key string, v int) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	began := time.Now()
	_, err := w.living().ask(ctx, message{Kind: kindPut, Copies: w.copies, Key: key, Value: v})
	w.longestWrite.Store(max(w.longestWrite.Load(), int64(time.Since(began)))) // nearly exact
	pe, ok := errors.AsType[*cachemesh.PeerError](err)
	switch {
	case err == nil:
		return true
	case ok && pe.MaybeApplied, errors.Is(err, errGone): // who asked the crashed member heard nothing
		w.maybe.Add(1)
	default:
		if w.failed.Add(1) <= 10 {
			fmt.Fprintln(os.Stderr, "put:", err)
		}
	}
	return false
}

// number writes the next numbered value.
func (w *copiedWriting) number() {
	w.mu.Lock()
	w.next++
	n := w.next
	w.mu.Unlock()
	if w.put(numbered(n), n) {
		w.mu.Lock()
		w.done = append(w.done, n)
		w.mu.Unlock()
	}
}

const copiedWriters = 32

// fill writes so many values.
func (w *copiedWriting) fill(ctx context.Context, values int) error {
	var all sync.WaitGroup
	for range copiedWriters {
		all.Go(func() {
			for w.acked() < values-copiedWriters && ctx.Err() == nil {
				w.number()
			}
		})
	}
	all.Wait()
	for w.acked() < values && ctx.Err() == nil {
		w.number()
	}
	return ctx.Err()
}

// start goes on writing, numbers and growing values, and reading these, until it is stopped.
func (w *copiedWriting) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for wait(ctx, 2*time.Millisecond) == nil {
				w.number()
			}
		})
	}
	for k := range 16 {
		g := &growing{key: fmt.Sprint("growing ", k)}
		all.Go(func() {
			for v := 1; wait(ctx, 5*time.Millisecond) == nil; v++ {
				if w.put(g.key, v) {
					g.floor.Store(int64(v))
				} else {
					g.unsure.Store(v, true)
				}
			}
		})
		all.Go(func() {
			for wait(ctx, 5*time.Millisecond) == nil {
				w.look(g)
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// A growing value has one writer.
type growing struct {
	key    string
	floor  atomic.Int64 // nobody may see less
	unsure sync.Map     // values that may be applied, at any time
}

// look reads a growing value.
func (w *copiedWriting) look(g *growing) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	least, began := g.floor.Load(), time.Now()
	a, err := w.living().ask(ctx, message{Kind: kindFetch, Copies: w.copies, Key: g.key})
	w.longestRead.Store(max(w.longestRead.Load(), int64(time.Since(began)))) // nearly exact
	missing := errors.Is(err, cachemesh.ErrNotFound)
	if err != nil && !missing {
		return
	}
	w.reads.Add(1)
	if _, unsure := g.unsure.Load(a.Value); int64(a.Value) < least && !unsure {
		if w.stale.Add(1) <= 10 {
			fmt.Fprintf(os.Stderr, "%s: %d after %d (not found: %t)\n", g.key, a.Value, least, missing)
		}
	}
}

// lost counts the numbers answered with nil that are not found, or have another value.
func (w *copiedWriting) lost(ctx context.Context) (lost int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for some := range slices.Chunk(w.done, 1000) {
		names := make([]string, len(some))
		for i, n := range some {
			names[i] = numbered(n)
		}
		a, err := w.living().ask(ctx, message{Kind: kindWrong, Copies: w.copies, Names: names})
		if err != nil {
			return lost, err
		}
		if lost += len(a.Names); len(a.Names) > 0 {
			fmt.Fprintln(os.Stderr, "lost:", a.Names[:min(5, len(a.Names))])
		}
	}
	return lost, nil
}

// wrong returns those of numbered keys that do not have their number.
func wrong(ctx context.Context, g *cachemesh.Group[int], names []string) (bad []string, err error) {
	found, err := g.GetMany(ctx, names)
	if failed, ok := errors.AsType[cachemesh.KeyErrors](err); ok {
		err = nil
		for _, cause := range failed {
			if !errors.Is(cause, cachemesh.ErrNotFound) {
				return nil, cause
			}
		}
	}
	for _, name := range names {
		if numbered(found[name]) != name {
			bad = append(bad, name)
		}
	}
	return bad, err
}
